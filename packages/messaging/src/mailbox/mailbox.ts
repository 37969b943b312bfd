import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '../messenger.ts';
import type { Depot } from '../outbox/courier.ts';
import { type Keyring, openKeyring } from '../sealed/keyring.ts';
import { createDepot, relayIn } from './depot.ts';
import { mailboxLimits } from './limits.ts';
import { type MailboxAnswer, mailboxMethod, type MailboxQuestion } from './protocol.ts';
import { openRecords, type Records } from './records.ts';
import { createTaker, type TakerMessenger } from './taker.ts';

export interface MailboxDeps {
  /** A room of its own; it holds secret keys. */
  readonly store: Store;
  readonly network: Network;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Peers that records are exchanged with and letters are taken from. */
  readonly isFriend: (peer: PeerId) => boolean;
  /** Relays to ask for a mailbox now: multiaddrs that end in `/p2p/<relay>`. One that is no more among them is looked into once more and named to nobody. */
  readonly relays: () => readonly string[];
  readonly about: () => { readonly name: string; readonly agent: string };
}
/** A peer's mailboxes at its relays, and its way to those of others. */
export interface Mailbox {
  /** For the messenger that is made with it. */
  readonly depot: Depot;
  readonly records: Records;
  /** The keys that letters to this peer are sealed to. */
  readonly keyring: Keyring;
  /** Relays that keep letters for this peer now. */
  places(): readonly string[];
  /** Registers at the relays and takes what lies there. Safe to call twice. */
  start(messenger: Pick<PeerMessenger, keyof TakerMessenger>, signal: AbortSignal): void;
  /** Looks into every mailbox now. */
  look(): void;
  /** Safe to call twice; what lies at relays stays there. */
  stop(): Promise<void>;
}

/**
 * Letters for a peer that is away: sealed to its key, left at a relay it chose, taken when it comes back, in order, once.
 * Throws what the store throws.
 */
export async function openMailbox(deps: MailboxDeps): Promise<Mailbox> {
  const { network, clock, logger } = deps;
  const registered = new Set<string>();
  const places = (): readonly string[] => deps.relays().filter((address) => registered.has(address));
  const keyring = await openKeyring(deps);
  const records = await openRecords({ ...deps, keyring, mailboxes: places });
  const wakers = new Set<AbortController>();
  const ending = new AbortController();
  let running: Promise<unknown> | undefined;

  const look = (): void => {
    for (const waker of wakers) waker.abort();
  };
  const askerOf =
    (address: string, relay: PeerId, signal: AbortSignal) =>
    (question: MailboxQuestion): Promise<MailboxAnswer> =>
      callMethod({ network, clock }, relay, mailboxMethod, question, { signal, addresses: [address] });
  const attend = async (address: string, taker: ReturnType<typeof createTaker>, signal: AbortSignal): Promise<void> => {
    const relay = relayIn(address);
    if (relay === undefined || relay === network.self) return;
    const ask = askerOf(address, relay, signal);
    try {
      await ask({ verb: 'register', to: undefined, letter: undefined, after: undefined, done: [] });
      if (!registered.has(address)) {
        registered.add(address);
        records.tell();
      }
      if (await taker.takeAll(ask, signal)) look();
    } catch (error) {
      if (signal.aborted) return;
      const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
      // A relay that keeps no mailbox for us must not stand in our record; one that is away may be back before our senders come.
      if (code !== 'PEER_UNREACHABLE' && code !== 'TIMEOUT' && code !== 'CHANNEL_CLOSED') registered.delete(address);
      logger.debug('mailbox-not-read', { relay, code });
    }
  };
  /** What lies at a relay that is ours no more is taken while it may be; then it is let go. */
  const leave = async (address: string, taker: ReturnType<typeof createTaker>, stopped: AbortSignal): Promise<void> => {
    registered.delete(address);
    records.tell();
    const relay = relayIn(address);
    if (relay === undefined) return;
    const signal = clock.deadline(mailboxLimits.lastLookMs, stopped);
    try {
      await taker.takeAll(askerOf(address, relay, signal), signal);
    } catch (error) {
      logger.debug('mailbox-left', { relay, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
    if (!deps.relays().some((one) => relayIn(one) === relay)) await network.disconnect(relay);
  };
  const attendAll = async (messenger: TakerMessenger, signal: AbortSignal): Promise<void> => {
    const taker = createTaker({ ...deps, keyring, records }, messenger);
    while (!signal.aborted) {
      const waker = new AbortController();
      wakers.add(waker);
      const relays = deps.relays();
      const dropped = [...registered].filter((address) => !relays.includes(address));
      await Promise.all([
        ...relays.map((address) => attend(address, taker, signal)),
        ...dropped.map((address) => leave(address, taker, signal)),
      ]);
      await clock.sleep(mailboxLimits.lookEveryMs, AbortSignal.any([signal, waker.signal])).catch(() => undefined);
      wakers.delete(waker);
    }
  };
  const watchRelays = async (signal: AbortSignal): Promise<void> => {
    const here = new Set<PeerId>();
    for await (const { peer, state } of network.links(signal)) {
      if (state === 'down') here.delete(peer);
      else if (!here.has(peer)) {
        here.add(peer);
        if (deps.relays().some((address) => relayIn(address) === peer)) look();
      }
    }
  };
  const quiet = (work: Promise<void>, signal: AbortSignal): Promise<void> =>
    work.catch((error: unknown) => {
      if (!signal.aborted) logger.error('mailbox-failed', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    });
  return {
    depot: createDepot({ ...deps, records }),
    records,
    keyring,
    places,
    look,
    start: (messenger, parent) => {
      if (running !== undefined || ending.signal.aborted) return;
      const signal = AbortSignal.any([parent, ending.signal]);
      running = Promise.all([
        quiet(records.run(signal), signal),
        quiet(attendAll(messenger, signal), signal),
        quiet(watchRelays(signal), signal),
      ]);
    },
    stop: async () => {
      ending.abort(new PeerAiError('ABORTED', 'the mailbox was stopped'));
      await running;
    },
  };
}
