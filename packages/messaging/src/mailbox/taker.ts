import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
  wire,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '../messenger.ts';
import { collect, under } from '../rows.ts';
import { readContent, type SealedContent, writeReceipt } from '../sealed/form.ts';
import type { Keyring } from '../sealed/keyring.ts';
import { openSealed, unpad } from '../sealed/seal.ts';
import { leaveSealed } from './depot.ts';
import { mailboxLimits } from './limits.ts';
import type { MailboxAnswer, MailboxQuestion } from './protocol.ts';
import type { Records } from './records.ts';

export interface TakerDeps {
  readonly store: Store;
  readonly network: Network;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly keyring: Keyring;
  readonly records: Records;
  readonly isFriend: (peer: PeerId) => boolean;
}
/** What a mailbox asks of a messenger. */
export type TakerMessenger = Pick<PeerMessenger, 'receive' | 'hasTaken' | 'confirm'>;
export interface Taker {
  /** Takes all that lies at one mailbox. True when something was taken. Throws what `ask` throws. */
  takeAll(ask: (question: MailboxQuestion) => Promise<MailboxAnswer>, signal: AbortSignal): Promise<boolean>;
}

const expiryCodec = wire.message({ expiresMs: wire.uint53(1) });
const refusedKey = (sender: PeerId, id: string): string => `refused/${sender}/${id}`;

export function createTaker(deps: TakerDeps, messenger: TakerMessenger): Taker {
  const { store, clock, logger } = deps;
  /** A refused letter has no mark in the inbox; this one lets those behind it pass. */
  const rememberRefused = async (sender: PeerId, id: string, expiresMs: number): Promise<void> => {
    const rows = await collect(store.range(...under('refused')));
    const over = rows.filter(({ value }) => expiryCodec.decode(value).expiresMs < clock.nowMs());
    const isFull = rows.length - over.length >= mailboxLimits.refusedKeptMax;
    const mark = isFull ? [] : [store.put(refusedKey(sender, id), expiryCodec.encode({ expiresMs }))];
    await store.commit([...over.map(({ key }) => store.put(key)), ...mark]);
  };
  const isPassed = async (sender: PeerId, before: { readonly id: string; readonly expiresMs: number }) =>
    before.expiresMs < clock.nowMs() ||
    (await messenger.hasTaken(sender, before.id)) ||
    (await store.get(refusedKey(sender, before.id))) !== undefined;

  /** False for what must stay there for now. Throws what a later look may get past. */
  const take = async (sealed: Uint8Array, signal: AbortSignal): Promise<boolean> => {
    const opened = await open(deps, sealed);
    if (opened === undefined) return true;
    if (opened.type === 'receipt') {
      const { from, id, outcome, code } = opened;
      const state = outcome === 'taken' ? 'delivered' : 'refused';
      await messenger.confirm(from, id, { state, path: 'mailbox', ...(code === undefined ? {} : { code }) });
      return true;
    }
    const { letter, before } = opened;
    if (before !== undefined && !(await isPassed(letter.sender, before))) return false;
    const { outcome, code } = await messenger.receive(letter, signal);
    if (outcome === 'refused') await rememberRefused(letter.sender, letter.id, letter.expiresMs);
    const receipt = writeReceipt(deps.identity, letter.sender, { id: letter.id, outcome, code });
    // Only to spare the sender another attempt: without it, it asks again over a link, and the inbox knows.
    await leaveSealed(deps, letter.sender, receipt, signal).catch((error: unknown) => {
      logger.debug('receipt-not-left', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    });
    return true;
  };
  return {
    takeAll: async (ask, signal) => {
      let [after, isNews]: [number, boolean] = [0, false];
      let done: number[] = [];
      const held = new Set<PeerId | 'all'>();
      for (;;) {
        const { place, letter } = await ask({ verb: 'next', to: undefined, letter: undefined, after, done });
        done = [];
        if (place === undefined || letter === undefined) {
          // What is held may have waited for something that lay behind it.
          if (held.size === 0 || !isNews) return isNews;
          [after, isNews] = [0, false];
          held.clear();
          continue;
        }
        after = place;
        const isDone = await take(letter, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          logger.debug('letter-stays', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
          return false;
        });
        if (isDone) [done, isNews] = [[place], true];
        else held.add('all');
      }
    },
  };
}

/** `undefined` for what nobody will ever be able to take: it is thrown away. */
async function open(deps: TakerDeps, sealed: Uint8Array): Promise<SealedContent | undefined> {
  const { crypto, clock, identity, keyring, logger, isFriend } = deps;
  try {
    const content = unpad(await openSealed(deps, keyring.all(), sealed, 'letter'));
    const opened = readContent({ crypto, clock, self: identity.peer }, content);
    const from = opened.type === 'letter' ? opened.letter.sender : opened.from;
    if (isFriend(from)) return opened;
    throw new PeerAiError('REFUSED', 'only peers the owner allowed leave letters here');
  } catch (error) {
    if (!PeerAiError.is(error)) throw error;
    logger.warn('letter-thrown-away', { code: error.code });
    return undefined;
  }
}
