import { type Change, fromUtf8, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { relayName } from './world.ts';

/** What somebody was told is done: from then on it must hold, whatever happens. */
export interface History {
  /** Messages by their unique text. */
  readonly messages: Map<string, { readonly from: string; readonly to: string; acknowledged: boolean }>;
  /** Tasks by their unique title: who gave it, and how often its handler was called. */
  readonly tasks: Map<string, { readonly from: string; readonly to: string; acknowledged: boolean; runs: number }>;
  /** Share ids by their owner's name. */
  readonly shares: Map<string, { readonly owner: string; stopped: boolean }>;
  /** `inviter joiner` of pairings whose acceptance came back to the inviter. */
  readonly paired: Set<string>;
  /** Errors that are no PeerAiError: always a defect. */
  readonly defects: string[];
  readonly counts: Map<string, number>;
  /** Texts in the order in which each player's disk got them, by `name`. */
  readonly arrivals: Map<string, string[]>;
  written(name: string, changes: readonly Change[]): void;
}
export interface Trace {
  readonly lines: string[];
  note(line: string): void;
  hash(): string;
}

export function createHistory(): History {
  const arrivals = new Map<string, string[]>();
  const defects: string[] = [];
  const counts = new Map<string, number>();
  return {
    messages: new Map(),
    tasks: new Map(),
    shares: new Map(),
    paired: new Set(),
    defects,
    counts,
    arrivals,
    written(name, changes) {
      if (name === relayName) {
        const letters = changes.filter(({ key, value }) => value !== undefined && key.startsWith('box/'));
        if (letters.length > 0) counts.set('relay kept', (counts.get('relay kept') ?? 0) + letters.length);
        const isRead = ({ value }: Change): boolean => value !== undefined && anyText.test(byteText.decode(value));
        if (changes.some(isRead)) defects.push('the relay’s disk holds what a letter says');
        return;
      }
      const texts = changes.flatMap(({ key, value }) =>
        value !== undefined && inboxRow.test(key) ? [(JSON.parse(fromUtf8(value)) as { payload: string }).payload] : [],
      );
      if (texts.length > 0) arrivals.set(name, [...(arrivals.get(name) ?? []), ...texts]);
    },
  };
}

/** Texts of messages and titles of tasks, wherever they stand in some bytes. */
const anyText = /(?:message|task) \d/;
const byteText = new TextDecoder('latin1');

/** A message in the room that people read. */
const inboxRow = /messages\0in\/\d{15}-[0-9a-f]{32}$/;

export function createTrace(): Trace {
  const lines: string[] = [];
  return {
    lines,
    note: (line) => void lines.push(line),
    hash: () => toHex(nodeCrypto.sha256(utf8(lines.join('\n')))),
  };
}
