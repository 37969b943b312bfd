/** The shape of each state in a 10×10 box: state is shape, then word, then colour. */
export interface Dot {
  /** Drawn as an outline. */
  readonly ring: boolean;
  readonly dashed: boolean;
  /** A filled part, absent for hollow shapes. */
  readonly fill?: string;
  /** A line across. */
  readonly slash: boolean;
}

export const dots = {
  direct: { ring: true, dashed: false, fill: 'M0 5a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z', slash: false },
  relayed: { ring: true, dashed: false, fill: 'M5 0a5 5 0 0 0 0 10z', slash: false },
  offline: { ring: true, dashed: false, slash: false },
  pending: { ring: true, dashed: true, slash: false },
  blocked: { ring: true, dashed: false, slash: true },
} as const satisfies Record<string, Dot>;

export type DotName = keyof typeof dots;
