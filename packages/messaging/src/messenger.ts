import {
  type Change,
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Messenger,
  type Network,
  type Outgoing,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { createInbox, type Inbox } from './inbox/inbox.ts';
import { sealLetter } from './letter.ts';
import { limits } from './limits.ts';
import { type Carrier, type Courier, createCourier, type Depot } from './outbox/courier.ts';
import { createOutbox, type DeliveryReport, type Outcome } from './outbox/outbox.ts';
import { deliverFrameMethod, deliverMethod } from './protocol.ts';
import type { OutRow } from './rows.ts';

export interface MessengerDeps {
  /** A room of its own; handlers' changes may be of any room of the same file. */
  readonly store: Store;
  readonly network: Network;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Other ways to peers, tried in this order when no live link gets through. */
  readonly carriers?: readonly Carrier[];
  /** Where copies of letters wait for peers that are away. */
  readonly depot?: Depot;
  /** This peer said that it takes frames; without it nobody did. */
  readonly hasFrames?: (to: PeerId) => boolean;
  /** Nothing of this peer is taken, whichever way it came; without it nobody is refused. */
  readonly isRefused?: (from: PeerId) => boolean;
}
export interface PeerMessenger extends Messenger {
  /** @param alongside - the caller's own changes for the commit that takes the message in, once its id is known. */
  send(message: Outgoing, alongside?: (id: string) => readonly Change[]): Promise<string>;
  /**
   * Begins to deliver and to take in; register handlers before. Safe to call twice.
   * Throws REFUSED when the protocol is answered by somebody else already, what the store throws.
   */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Takes in a letter that came another way than over a link and was opened there: handled once, like every other. Throws ABORTED when the messenger
   * is not running, and what a later attempt may get past. For `owner` see the inbox.
   */
  receive: Inbox['receive'];
  /** True for a letter of that sender that was handled and is remembered. */
  hasTaken: Inbox['hasTaken'];
  /** A letter of ours is through, as its recipient proved some other way than by its answer. Nothing where it waits no more. */
  confirm(to: PeerId, id: string, outcome: Outcome): Promise<void>;
  /** Ends every attempt and waits for the commits under way; what waits stays on disk. Safe to call twice. */
  stop(): Promise<void>;
  /** Kinds of messages that are handled here now. */
  kinds: Inbox['kinds'];
  /** Peers that messages wait for, and why the last attempt failed. */
  pending(): Promise<readonly { readonly to: PeerId; readonly code?: string }[]>;
  /** Messages that wait, for all peers together. */
  waiting(): Promise<number>;
  /** The same peer under another key: what waits for the one goes to the other. Throws LIMIT_REACHED, what the store throws. */
  readdress(from: PeerId, to: PeerId): Promise<void>;
  /** Where a message of ours stands; `undefined` for one that is not ours or long past. */
  status(id: string): Promise<DeliveryReport | undefined>;
  /** Messages that are through, newest first, at most 10,000 remembered: refused and expired ones are the dead letters. */
  outcomes(limit?: number): Promise<readonly DeliveryReport[]>;
  /** Calls back for each message that is delivered, refused or expired from now on. */
  deliveries(listener: (report: DeliveryReport) => void): Disposable;
}

/**
 * Messages over live links that outlive them: kept on disk in order per recipient, tried until taken, refused or expired, handled once.
 *
 * `send` throws INVALID_FORMAT (payload is no JSON, or the kind too long), LIMIT_EXCEEDED (too big, or would live over 14 days), LIMIT_REACHED (outbox full), EXPIRED, WRONG_RECIPIENT (to oneself),
 * and what the store throws. A handler that throws REFUSED or INVALID_FORMAT refuses the message for good; after anything else it is tried again.
 */
export function createMessenger(deps: MessengerDeps): PeerMessenger {
  const self = deps.identity.peer;
  const outbox = createOutbox(deps);
  const inbox = createInbox({ ...deps, self });
  const listeners = new Set<(report: DeliveryReport) => void>();
  const onOutcome = (report: DeliveryReport): void => {
    for (const listener of listeners) listener(report);
  };
  let running: Running | undefined;
  const status = async (id: string): Promise<DeliveryReport | undefined> => {
    const report = await outbox.status(id);
    const code = report?.state === 'queued' ? running?.courier.lastFailure(report.to) : undefined;
    return report === undefined || code === undefined ? report : { ...report, code };
  };
  const messenger: PeerMessenger = {
    send: async (message, alongside = () => []) => {
      const letter = writeLetter(deps, message);
      await outbox.add(message.to, letter, message.priority, alongside(letter.id));
      running?.courier.wake(message.to);
      return letter.id;
    },
    handle: inbox.handle,
    kinds: () => inbox.kinds(),
    receive: async (letter, signal, owner) => {
      if (running === undefined) throw new PeerAiError('ABORTED', 'the messenger is not running');
      return inbox.receive(letter, AbortSignal.any([signal, running.ending.signal]), owner);
    },
    hasTaken: inbox.hasTaken,
    confirm: async (to, id, outcome) => {
      const letter = (await outbox.line(to)).find((one) => one.id === id);
      const report = letter === undefined ? undefined : await outbox.finish(to, letter, outcome);
      if (report !== undefined) onOutcome(report);
    },
    start: async (signal) => {
      if (running !== undefined) return;
      const ending = new AbortController();
      const both = AbortSignal.any([signal, ending.signal]);
      both.throwIfAborted();
      const answering = answer(deps, inbox, both);
      const courier = createCourier({ ...deps, outbox, onOutcome }, both);
      running = { courier, ending, answering };
      signal.addEventListener('abort', () => void messenger.stop(), { once: true, signal: ending.signal });
      for (const peer of await outbox.peers()) courier.wake(peer);
    },
    stop: async () => {
      const ended = running;
      running = undefined;
      if (ended === undefined) return;
      ended.ending.abort(new PeerAiError('ABORTED', 'the messenger was stopped'));
      ended.answering[Symbol.dispose]();
      await Promise.all([ended.courier.stopped(), inbox.idle()]);
    },
    pending: async () => {
      const peers = await outbox.peers();
      return peers.map((to) => {
        const code = running?.courier.lastFailure(to);
        return { to, ...(code === undefined ? {} : { code }) };
      });
    },
    waiting: () => outbox.size(),
    readdress: async (from, to) => {
      await outbox.readdress(from, to);
      running?.courier.wake(to);
    },
    status,
    outcomes: (limit = 100) => outbox.outcomes(Math.min(limit, limits.outcomesMax)),
    deliveries: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  return messenger;
}

interface Running {
  readonly courier: Courier;
  readonly ending: AbortController;
  readonly answering: Disposable;
}

function answer(deps: MessengerDeps, inbox: Inbox, ending: AbortSignal): Disposable {
  const { network, clock, logger } = deps;
  const onError = (error: unknown): void => {
    logger.error('message-handling-failed', { name: error instanceof Error ? error.name : typeof error });
  };
  const serving = [
    serveMethod(
      network,
      deliverMethod,
      ({ letter }, { peer, signal }) => inbox.take(peer, letter, AbortSignal.any([signal, ending])),
      { clock, onError },
    ),
    serveMethod(
      network,
      deliverFrameMethod,
      async ({ frame }, { peer: from, signal }) => {
        const { takeFrame } = await import('./inbox/take-frame.ts');
        const both = AbortSignal.any([signal, ending]);
        return { answers: await takeFrame(inbox, clock, { from, frame, onError }, both) };
      },
      { clock, onError },
    ),
  ];
  return { [Symbol.dispose]: () => serving.forEach((one) => one[Symbol.dispose]()) };
}

/** The message as it waits; sealed once here to see that it can be. */
function writeLetter(deps: MessengerDeps, { to, kind, payload, expiresMs }: Outgoing): OutRow {
  const nowMs = deps.clock.nowMs();
  const until = expiresMs ?? nowMs + limits.lifeMsDefault;
  if (to === deps.identity.peer) throw new PeerAiError('WRONG_RECIPIENT', 'a peer sends no messages to itself');
  if (until <= nowMs) throw new PeerAiError('EXPIRED', 'the message would expire before it is sent');
  if (until - nowMs > limits.lifeMsMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a message waits at most ${limits.lifeMsMax} ms`);
  }
  const content = JSON.stringify(payload) as string | undefined;
  if (content === undefined) throw new PeerAiError('INVALID_FORMAT', 'the payload is not JSON');
  const letter = { id: toHex(deps.random.bytes(16)), kind, content, sentMs: nowMs, expiresMs: Math.trunc(until) };
  sealLetter(deps, to, letter);
  return letter;
}
