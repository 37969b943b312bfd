import {
  type Clock,
  type CryptoProvider,
  type Network,
  parsePeerId,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  type Store,
} from '@peerai/core-protocol';
import { collect } from '../rows.ts';
import { sealedSizes } from '../sealed/seal.ts';
import { createTurns } from '../turns.ts';
import {
  type Box,
  boxCodec,
  boxKey,
  boxRows,
  loadBoxes,
  type MailClass,
  registrationCodec,
  registrationKey,
} from './boxes.ts';
import { mailboxLimits } from './limits.ts';
import { type MailboxAnswer, mailboxMethod, type MailboxQuestion } from './protocol.ts';
import { createSenderCount } from './sender-count.ts';

export interface KeeperDeps {
  readonly store: Store;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
}
/** What a relay may know of its mailboxes: counts. */
export interface MailboxStats {
  readonly registrations: number;
  readonly letters: number;
  readonly bytes: number;
}
export interface MailboxKeeper extends Disposable {
  stats(): MailboxStats;
  /** When all that was asked is answered. */
  idle(): Promise<void>;
}

/**
 * Keeps sealed letters for peers that asked for it, on disk. What is kept of a letter: for whom, its bytes, when it came, and whether its sender has a
 * mailbox here too; not who that is. Answers MAILBOX_UNKNOWN (no such registration), MAILBOX_FULL (a quota, with `retryAfterMs`),
 * RATE_LIMITED, INVALID_FORMAT (no sealed letter, or nothing asked), and what the store throws.
 */
export async function createMailboxKeeper(
  deps: KeeperDeps,
  options: { readonly totalBytesMax?: number } = {},
): Promise<MailboxKeeper> {
  const { store, clock, network } = deps;
  const totalBytesMax = options.totalBytesMax ?? mailboxLimits.totalBytesMax;
  const boxes = await loadBoxes(store);
  const turns = createTurns();
  const allow = createSenderCount(deps);
  let totalBytes = [...boxes.values()].reduce((sum, box) => sum + bytesOf(box), 0);
  let sweptMs = Number.NEGATIVE_INFINITY;

  const remove = async (peer: PeerId, box: Box, places: readonly number[]): Promise<void> => {
    const there = places.filter((place) => box.letters.has(place));
    if (there.length === 0) return;
    await store.commit(there.map((place) => store.put(boxKey(peer, place))));
    for (const place of there) {
      totalBytes -= box.letters.get(place)?.bytes ?? 0;
      box.letters.delete(place);
    }
  };
  const drop = async (peer: PeerId, box: Box): Promise<void> => {
    await store.commit([
      store.put(registrationKey(peer)),
      ...[...box.letters.keys()].map((p) => store.put(boxKey(peer, p))),
    ]);
    totalBytes -= bytesOf(box);
    boxes.delete(peer);
  };
  const sweep = async (): Promise<void> => {
    if (clock.elapsedMs() - sweptMs < mailboxLimits.sweepMsMin) return;
    sweptMs = clock.elapsedMs();
    const nowMs = clock.nowMs();
    for (const [peer, box] of boxes) {
      await turns.run(peer, async () => {
        if (boxes.get(peer) !== box) return;
        if (box.seenMs + mailboxLimits.registrationLifeMs < nowMs) return drop(peer, box);
        const old = [...box.letters].filter(([, { leftMs }]) => leftMs + mailboxLimits.keptMs < nowMs);
        await remove(
          peer,
          box,
          old.map(([place]) => place),
        );
      });
    }
  };
  const register = async (peer: PeerId): Promise<void> => {
    const box = boxes.get(peer);
    const seenMs = clock.nowMs();
    if (box === undefined && boxes.size >= mailboxLimits.registrationsMax)
      throw full('this relay keeps no more mailboxes');
    const made = box ?? { seenMs, nextPlace: 1, letters: new Map() };
    boxes.set(peer, made);
    try {
      await store.commit([store.put(registrationKey(peer), registrationCodec.encode({ seenMs }))]);
      made.seenMs = seenMs;
    } catch (error) {
      if (box === undefined) boxes.delete(peer);
      throw error;
    }
  };
  const leave = async (from: PeerId, to: PeerId, letter: Uint8Array): Promise<void> => {
    const box = boxes.get(to);
    if (box === undefined) throw unknown();
    const mailClass: MailClass = boxes.has(from) ? 'member' : 'stranger';
    checkQuotas(box, mailClass, letter.length);
    if (totalBytes + letter.length > totalBytesMax) throw full('this relay keeps no more letters');
    // By the clock, so that an emptied box never gives a place to another letter that a peer may still call done.
    const place = Math.max(box.nextPlace, clock.nowMs());
    box.nextPlace = place + 1;
    // Taken before the commit: deposits for several peers run at once.
    totalBytes += letter.length;
    const leftMs = clock.nowMs();
    try {
      await store.commit([store.put(boxKey(to, place), boxCodec.encode({ mailClass, leftMs, letter }))]);
      box.letters.set(place, { bytes: letter.length, mailClass, leftMs });
    } catch (error) {
      totalBytes -= letter.length;
      throw error;
    }
  };
  const next = async (peer: PeerId, { after = 0, done }: MailboxQuestion): Promise<MailboxAnswer> => {
    const box = boxes.get(peer);
    if (box === undefined) throw unknown();
    await remove(peer, box, done);
    const [row] = await collect(store.range(...boxRows(peer, after + 1), { limit: 1 }));
    if (row === undefined) return nothing;
    const place = Number.parseInt(row.key.slice(row.key.lastIndexOf('/') + 1), 16);
    return { place, letter: boxCodec.decode(row.value).letter };
  };
  const take = async (from: PeerId, question: MailboxQuestion): Promise<MailboxAnswer> => {
    await sweep();
    if (question.verb === 'next') return turns.run(from, () => next(from, question));
    if (question.verb === 'leave') {
      const to = question.to === undefined ? undefined : parsePeerId(question.to);
      const { letter } = question;
      if (to === undefined || letter === undefined || !sealedSizes.includes(letter.length)) {
        throw new PeerAiError('INVALID_FORMAT', 'a sealed letter and its receiver are to be left');
      }
      allow(from);
      await turns.run(to, () => leave(from, to, letter));
    } else {
      await turns.run(from, async () => {
        const box = boxes.get(from);
        if (question.verb === 'register') await register(from);
        else if (box !== undefined) await drop(from, box);
      });
    }
    return nothing;
  };
  const serving = serveMethod(network, mailboxMethod, (question, { peer }) => take(peer, question), { clock });
  return {
    stats: () => ({
      registrations: boxes.size,
      letters: [...boxes.values()].reduce((sum, { letters }) => sum + letters.size, 0),
      bytes: totalBytes,
    }),
    idle: turns.idle,
    [Symbol.dispose]: () => serving[Symbol.dispose](),
  };
}

const nothing: MailboxAnswer = { place: undefined, letter: undefined };
const unknown = (): PeerAiError => new PeerAiError('MAILBOX_UNKNOWN', 'no mailbox is kept here for this peer');
const full = (text: string): PeerAiError =>
  new PeerAiError('MAILBOX_FULL', text, { retryAfterMs: mailboxLimits.sweepMsMin });

function bytesOf({ letters }: Box, mailClass?: MailClass): number {
  let sum = 0;
  for (const letter of letters.values())
    if (mailClass === undefined || letter.mailClass === mailClass) sum += letter.bytes;
  return sum;
}

function checkQuotas(box: Box, mailClass: MailClass, bytes: number): void {
  const { lettersPerPeerMax, bytesPerPeerMax, strangersLettersPerPeerMax, strangersBytesPerPeerMax } = mailboxLimits;
  if (box.letters.size >= lettersPerPeerMax || bytesOf(box) + bytes > bytesPerPeerMax)
    throw full('the mailbox is full');
  if (mailClass === 'member') return;
  const count = [...box.letters.values()].filter((letter) => letter.mailClass === 'stranger').length;
  if (count >= strangersLettersPerPeerMax || bytesOf(box, 'stranger') + bytes > strangersBytesPerPeerMax) {
    throw full('the part of the mailbox for senders without one is full');
  }
}
