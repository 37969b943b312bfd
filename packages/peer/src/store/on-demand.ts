/** What is opened when it is first asked for, once for all who ask. */
export interface OnDemand<T> {
  /** Opens it; a failed opening is tried anew by the next who asks. Throws what opening throws. */
  readonly get: () => Promise<T>;
  /** It, when it is open. */
  readonly now: () => T | undefined;
  /** Waits for an opening under way; undefined where nobody ever asked, or it failed. */
  readonly settled: () => Promise<T | undefined>;
}

export function onDemand<T>(open: () => Promise<T>): OnDemand<T> {
  let opening: Promise<T> | undefined;
  let opened: T | undefined;
  const start = async (): Promise<T> => {
    try {
      return (opened = await open());
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  return {
    get: () => (opening ??= start()),
    now: () => opened,
    settled: async () => opening?.catch(() => undefined),
  };
}
