import { type Change, type Opened, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type Desk, mayGive } from './desk.ts';
import type { TrayLetter } from './task-book.ts';
import { readAnswer, readCancel, readOrder, type TaskKind } from './task-letters.ts';

/** Where messages about tasks lie from the commit that took them in until they are worked off, in their order. */
export interface Tray {
  /** For the messenger: the change that takes a message in. Throws REFUSED, INVALID_FORMAT, LIMIT_REACHED (come later). */
  receive(kind: TaskKind, message: Opened): Promise<readonly Change[]>;
  /** True when something new lies here. */
  committed(changes: readonly Change[]): boolean;
  /** What an end of the agent left here. */
  load(): Promise<void>;
  /** Works off what lies here; stops at the first that fails, which is tried again next time. */
  empty(): Promise<void>;
}

interface Lying {
  readonly id: string;
  readonly letter: TrayLetter;
}

/** @param workOff - does what a message asks; it commits `read` with its own changes. */
export function createTray(
  desk: Pick<Desk, 'book' | 'known'>,
  workOff: (letter: TrayLetter, read: readonly Change[]) => Promise<void>,
): Tray {
  /** Of each sender the one that is on its way to the disk: an attempt that failed is repeated by its sender. */
  const arriving = new Map<PeerId, Lying & { readonly key: string }>();
  const lying: Lying[] = [];
  const { tray, room } = desk.book;
  let last = 0;
  return {
    async receive(kind, { sender, payload }) {
      const peer = desk.known.get(sender);
      if (peer === undefined || peer.blocked) throw new PeerAiError('REFUSED', 'only known peers send tasks here');
      const asks = kind === 'task_delegate' || kind === 'task_cancel';
      if (asks && !mayGive(desk, sender)) throw new PeerAiError('REFUSED', 'this peer may not give tasks here');
      check(kind, payload);
      if (lying.length >= limits.taskTrayMax)
        throw new PeerAiError('LIMIT_REACHED', 'too many messages about tasks at once');
      last += 1;
      const one = { id: String(last).padStart(15, '0'), letter: { kind, sender, payload } };
      const change = tray.put(one.id, one.letter);
      arriving.set(sender, { ...one, key: change.key });
      return [change];
    },
    committed(changes) {
      const before = lying.length;
      for (const [sender, { key, id, letter }] of arriving) {
        if (!changes.some((change) => change.key === key)) continue;
        arriving.delete(sender);
        lying.push({ id, letter });
      }
      return lying.length > before;
    },
    async load() {
      for await (const [id, letter] of tray.all()) lying.push({ id, letter });
      last = Number(lying.at(-1)?.id ?? 0);
    },
    async empty() {
      for (let one = lying[0]; one !== undefined; one = lying[0]) {
        const read = [tray.remove(one.id)];
        try {
          await workOff(one.letter, read);
        } catch (error) {
          // Of another version: nobody here will ever read it.
          if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
          await room.commit(read);
        }
        lying.shift();
      }
    },
  };
}

function check(kind: TaskKind, payload: unknown): void {
  if (kind === 'task_delegate') readOrder(payload);
  else if (kind === 'task_cancel') readCancel(payload);
  else readAnswer(kind, payload);
}
