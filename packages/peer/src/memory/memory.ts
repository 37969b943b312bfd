import { createIdentity, PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import type { FetchedView } from '../cache/cache.schema.ts';
import { limits } from '../limits.ts';
import type { LocalModels } from '../models/local-models.ts';
import type { Device } from '../pairing/devices.ts';
import { readFormerKeys } from '../keys/former.ts';
import { newestKey } from '../pairing/newest-key.ts';
import { onDemand } from '../store/on-demand.ts';
import { createCopies } from './copies.ts';
import { memoryMethod } from './memory-protocol.ts';
import type { MemoryRoom, MemoryRoomDeps } from './memory-room.ts';
import type { CapsuleElsewhere, MemoryListQuestion, MemoryListView, MemorySharedView } from './memory.schema.ts';
import type { OthersDeps } from './others.ts';
import { openWaitingShares } from './waiting.ts';

export type MemoryDeps = Omit<MemoryRoomDeps, 'copies' | 'formerKeys' | 'findModel' | 'offeredEmbedders'> &
  Omit<OthersDeps, 'self' | 'isOwn'> & { readonly local: Pick<LocalModels, 'find' | 'list' | 'isHere'> };

/** What devices of one owner ask each other's memory for. */
export type OwnMemory = Pick<MemoryRoom, 'ownIds' | 'giveOwn' | 'takeOwn' | 'bury'>;

/** What this peer remembers; read from the disk when it is first used. */
export interface PeerMemory extends Omit<
  MemoryRoom,
  'list' | 'summaryOf' | 'bytesOf' | 'handOut' | 'handTo' | 'take' | 'honour' | 'searchFor' | keyof OwnMemory
> {
  /** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  list(question: MemoryListQuestion): Promise<MemoryListView>;
  /** To a paired peer; for one that is away it waits. Throws NOT_FOUND, CAPSULE_PERSONAL, REFUSED, DEVICE_UNKNOWN, LIMIT_EXCEEDED, and what the other says. */
  share(id: string, to: string, signal: AbortSignal): Promise<MemorySharedView>;
  /** One that waits for a peer waits no more. Throws NOT_FOUND, DEVICE_UNKNOWN. */
  cancelShare(id: string, to: string): Promise<void>;
  /** One that is at a paired peer, by its whole id; it is not kept. Throws NOT_FOUND, DEVICE_UNKNOWN, and what the other says. */
  readAt(id: string, at: string, signal: AbortSignal): Promise<CapsuleElsewhere>;
  /** A capsule by its id, of the first of these devices that gives it; it is kept. Throws NOT_FOUND, MEMORY_FULL, ABORTED. */
  fetch(
    id: string,
    devices: readonly (Device & { readonly roundTripMs: number | null })[],
    signal: AbortSignal,
  ): Promise<FetchedView>;
  /** Answers paired peers until the peer stops. */
  start(): void;
  /** A paired peer is here: it is told what it is to forget, and given what waits for it. */
  met(peer: PeerId): void;
  /** The memory as other devices of this owner see it. */
  own(): Promise<OwnMemory>;
  /** For a new key of this peer: what is remembered opens with it too. */
  handOn(seed: Uint8Array): Promise<void>;
}

/** What keeps and searches it is loaded when it is used: many peers never remember anything. */
export function createMemory(given: MemoryDeps): PeerMemory {
  const copies = createCopies(given);
  const waiting = openWaitingShares(given.store);
  let formerKeys: ReadonlySet<PeerId> = new Set();
  const { identity, devices, local } = given;
  const deps = {
    ...given,
    async findModel(model: string, signal: AbortSignal) {
      const found = await local.find(model, signal);
      return found !== undefined && local.isHere(found) ? found : undefined;
    },
    offeredEmbedders: () => local.list().filter((one) => one.card.forEmbeddings === true && local.isHere(one)),
    self: identity.peer,
    isOwn: (peer: PeerId) => peer === identity.peer || formerKeys.has(peer),
    nameOf: (peer: PeerId) => given.nameOf(newestKey(devices, peer)),
    copies,
    waiting,
  };
  const others = async () => await import('./others.ts');
  const shares = async () => await import('./share.ts');
  let isOver = false;
  const open = async (): Promise<MemoryRoom> => {
    if (isOver) throw new PeerAiError('ABORTED', 'this peer is stopping');
    formerKeys = await readFormerKeys(deps, identity.peer);
    return (await import('./memory-room.ts')).openMemoryRoom({ ...deps, formerKeys });
  };
  const held = onDemand(open);
  const room = held.get;
  const busy = new Set<PeerId>();
  /** Tries again while the peer is here: a link that broke in the middle is no reason to wait for the next meeting. */
  const giveWaiting = async (peer: PeerId): Promise<void> => {
    if (busy.has(peer)) return;
    busy.add(peer);
    try {
      for (let waitMs: number = limits.redialMsMin; (await waiting.list()).length > 0;) {
        if (await (await shares()).sendWaiting(deps, room, peer, deps.stopping)) return;
        await deps.clock.sleep(waitMs, deps.stopping);
        if (!deps.isOnline(peer)) return;
        waitMs = Math.min(2 * waitMs, limits.redialMsMax);
      }
    } catch (error) {
      if (!deps.stopping.aborted)
        deps.logger.warn('capsules-not-given', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    } finally {
      busy.delete(peer);
    }
  };
  const catchUp = async (peer: PeerId): Promise<void> => {
    await copies.tell(deps.stopping, peer);
    await giveWaiting(peer);
  };
  return {
    add: async (request, signal) => (await room()).add(request, signal),
    async list(question) {
      const page = await (await room()).list(question);
      return { ...page, waiting: await (await shares()).waitingViews(deps, await room()) };
    },
    graph: async () => (await room()).graph(),
    get: async (id) => (await room()).get(id),
    search: async (request, signal) => (await others()).searchOthers(deps, await room(), request, signal),
    async share(id, to, signal) {
      const shared = await (await shares()).shareCapsule(deps, await room(), id, to, signal);
      const peer = devices.find(to).peer;
      if (shared.outcome === 'waiting' && deps.isOnline(peer)) void giveWaiting(peer);
      return shared;
    },
    cancelShare: async (id, to) => (await shares()).cancelShare(deps, await room(), id, to),
    readAt: async (id, at, signal) => (await others()).readAt(deps, id, at, signal),
    fetch: async (id, from, signal) => (await others()).fetchCapsule(deps, await room(), id, from, signal),
    start() {
      const serving = serveMethod(
        deps.network,
        memoryMethod,
        async function* answer(question, { peer, signal }) {
          yield* (await others()).answerOther(deps, await room(), peer, question, signal);
        },
        { clock: deps.clock },
      );
      deps.stopping.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
    },
    met: (peer) => void catchUp(peer),
    recall: async (question, signal) => (await room()).recall(question, signal),
    async forget(id) {
      const capsule = await (await room()).forget(id);
      await waiting.removeAll(capsule.id);
      return capsule;
    },
    own: room,
    consolidate: async (signal) => (await room()).consolidate(signal),
    undoConsolidation: async () => (await room()).undoConsolidation(),
    async handOn(seed) {
      const { handOnSecret } = await import('./secret.ts');
      await handOnSecret(deps, deps.identity, createIdentity(deps.crypto, seed));
    },
    async stop() {
      isOver = true;
      await (await held.settled())?.stop();
    },
  };
}
