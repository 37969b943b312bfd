import { type Messenger, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { exchange, type ExchangeDeps } from './exchange.ts';
import { limits } from './limits.ts';
import { stateKind, writeLetter } from './protocol.ts';
import { postedCodec, postedKey } from './rows.ts';
import { note, type OpenVector, type Vector } from './vector.ts';

export interface CarrierDeps extends ExchangeDeps {
  readonly messenger: Messenger;
}
/** Brings documents to peers: over a live link both ways, by letter what is ours to those who are away. */
export interface Carrier {
  /** A document of ours has something for this peer. */
  wake(peer: PeerId, id: string): void;
  linked(peer: PeerId, isUp: boolean, ids: readonly string[]): void;
  start(signal: AbortSignal): void;
  idle(): Promise<void>;
}

/** What a letter would not change either. */
const finalCodes = [
  'REFUSED',
  'NOT_GRANTED',
  'INVALID_FORMAT',
  'INVALID_SIGNATURE',
  'LIMIT_REACHED',
  'DOCUMENT_UNKNOWN',
];

export function createCarrier(deps: CarrierDeps): Carrier {
  const up = new Set<PeerId>();
  const wanted = new Map<PeerId, Set<string>>();
  const lines = new Map<PeerId, Promise<void>>();
  /** What a peer had of a document when we last heard: what goes first, and what a letter need not bring. */
  const heard = new Map<string, Vector>();
  let running: AbortSignal | undefined;

  const carry = async (peer: PeerId, id: string, signal: AbortSignal): Promise<void> => {
    const key = `${id} ${peer}`;
    if (up.has(peer)) {
      try {
        const theirs = await exchange(deps, peer, id, heard.get(key), signal);
        if (theirs !== undefined) heard.set(key, theirs);
        return;
      } catch (error) {
        if (signal.aborted) return;
        deps.logger.debug('state-exchange-failed', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
        if (PeerAiError.is(error, ...finalCodes)) return;
      }
    }
    if (await post(deps, peer, id, heard.get(key))) {
      await deps.clock.sleep(limits.letterEveryMs, signal).catch(() => undefined);
    }
  };
  const line = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    for (;;) {
      const ids = wanted.get(peer);
      const id = ids?.values().next().value;
      if (ids === undefined || id === undefined || signal.aborted) break;
      ids.delete(id);
      try {
        await carry(peer, id, signal);
      } catch (error) {
        // The next change, or the next meeting, tries again.
        deps.logger.warn('state-not-carried', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      }
    }
    wanted.delete(peer);
  };
  const run = (peer: PeerId): void => {
    if (running === undefined || running.aborted || lines.has(peer)) return;
    const mine = line(peer, running).finally(() => {
      lines.delete(peer);
      if (wanted.has(peer)) run(peer);
    });
    lines.set(peer, mine);
  };
  const wake: Carrier['wake'] = (peer, id) => {
    wanted.set(peer, (wanted.get(peer) ?? new Set()).add(id));
    run(peer);
  };
  return {
    wake,
    linked: (peer, isUp, ids) => {
      if (isUp) up.add(peer);
      else up.delete(peer);
      if (isUp) for (const id of ids) wake(peer, id);
    },
    start: (signal) => {
      running = signal;
      for (const peer of wanted.keys()) run(peer);
    },
    idle: async () => {
      await Promise.allSettled(lines.values());
    },
  };
}

/** Our own entries that no letter has brought yet; the charter goes also where there are none. False: nothing to bring. */
async function post(deps: CarrierDeps, peer: PeerId, id: string, theirs: Vector | undefined): Promise<boolean> {
  const { book, store, identity } = deps;
  const ready = await book.inTurn(id, async () => {
    const document = await book.open(id);
    const bytes = await store.get(postedKey(id, peer));
    const posted: OpenVector = new Map();
    if (!(await deps.membersOf(document.charter)).includes(peer)) return undefined;
    const lives = new Map(theirs?.get(identity.peer));
    for (const { life, place } of bytes === undefined ? [] : postedCodec.decode(bytes).marks) {
      lives.set(life, Math.max(place, lives.get(life) ?? -1));
    }
    posted.set(identity.peer, lives);
    const entries = await book.missing(document, posted, identity.peer);
    return bytes !== undefined && entries.length === 0 ? undefined : { charter: document.charter, posted, entries };
  });
  if (ready === undefined || !deps.mayShare(peer)) return false;
  const { charter, posted, entries } = ready;
  await deps.messenger.send({
    to: peer,
    kind: stateKind,
    payload: writeLetter({ charter: charter.bytes, entries: entries.map(({ bytes }) => bytes) }),
  });
  for (const entry of entries) note(posted, entry);
  const marks = [...(posted.get(identity.peer) ?? [])].map(([life, place]) => ({ life, place }));
  await store.commit([store.put(postedKey(id, peer), postedCodec.encode({ marks }))]);
  return true;
}
