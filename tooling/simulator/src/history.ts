import { nobleCrypto, toHex, utf8 } from '@peerai/core-protocol';

/** What somebody was told is done: from then on it must hold, whatever happens. */
export interface History {
  /** Messages by their unique text. */
  readonly messages: Map<string, { readonly from: string; readonly to: string; acknowledged: boolean }>;
  /** Share ids by their owner's name. */
  readonly shares: Map<string, { readonly owner: string; stopped: boolean }>;
  /** `inviter joiner` of pairings whose acceptance came back to the inviter. */
  readonly paired: Set<string>;
  /** Errors that are no PeerAiError: always a defect. */
  readonly defects: string[];
  readonly counts: Map<string, number>;
}
export interface Trace {
  readonly lines: string[];
  note(line: string): void;
  hash(): string;
}

export const createHistory = (): History => ({
  messages: new Map(),
  shares: new Map(),
  paired: new Set(),
  defects: [],
  counts: new Map(),
});

export function createTrace(): Trace {
  const lines: string[] = [];
  return {
    lines,
    note: (line) => void lines.push(line),
    hash: () => toHex(nobleCrypto.sha256(utf8(lines.join('\n')))),
  };
}
