import { PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import type { Deed } from '@peerai/ledger/reputation';
import type { EventHub } from '../events/hub.ts';
import { onDemand } from '../store/on-demand.ts';
import type { PeerErrorCode } from '../errors.ts';
import { standingLimits as limits } from './limits.ts';
import { reputationMethod } from './reputation-protocol.ts';
import type { ReputationRoom, ReputationRoomDeps } from './reputation-room.ts';
import type { ReputationDetail, ReputationsView, ReputationView } from './reputation.schema.ts';

export interface ReputationDeps extends ReputationRoomDeps {
  readonly events: EventHub;
}
/** What this peer makes of others, and whom it refuses for a while. */
export interface PeerReputation {
  list(): Promise<ReputationsView>;
  /** By name or id. Throws DEVICE_UNKNOWN. */
  get(text: string): Promise<ReputationDetail>;
  /** Ends a refusal; what led to it stays. Throws DEVICE_UNKNOWN. */
  letIn(text: string): Promise<ReputationDetail>;
  /** A peer did something. The same `id` counts once: a proof's hash, a receipt's place. Returns at once, never throws. */
  note(peer: PeerId, deed: Deed, id: string): void;
  /** An answer of this peer failed; what is not its fault is left alone. Returns at once, never throws. */
  failed(peer: PeerId, error: unknown): void;
  /** 0 to 1; undefined while nothing is known of anybody. */
  now(peer: PeerId): number | undefined;
  /** The same once it is loaded; 1 for this peer itself. */
  scores(): Promise<(peer: PeerId) => number>;
  /** The same, a stranger's for who nothing is known of. */
  standing(peer: PeerId): number;
  /** Before it gets something new here. Throws REPUTATION_LOW. */
  admit(peer: PeerId): void;
  isRefused(peer: PeerId): boolean;
  /** A paired device is here. */
  met(peer: PeerId): void;
  /** The owner changed what a device may do. */
  review(peer: PeerId): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Deeds told of at once that wait for the disk; more are dropped, as one who floods is bounded by what counts in a day. */
const waitingMax = 256;

/** What keeps count is loaded with the first deed, or when there are some from before. */
export function createReputation(all: ReputationDeps): PeerReputation {
  const deps = { ...all, store: all.store.room('reputation') };
  const { stopping, logger, devices, clock } = deps;
  const running = new Set<Promise<void>>();
  const quiet = (task: () => Promise<void>): void => {
    if (stopping.aborted || running.size >= waitingMax) return;
    const done: Promise<void> = task()
      .catch((error: unknown) => {
        if (!stopping.aborted) logger.error('reputation-failed', { error: String(error) });
      })
      .finally(() => running.delete(done));
    running.add(done);
  };
  const held = onDemand(async (): Promise<ReputationRoom> => {
    if (stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openReputationRoom } = await import('./reputation-room.ts');
    const room = await openReputationRoom(deps);
    quiet(() => room.run());
    return room;
  });
  const note = (peer: PeerId, deed: Deed, id: string): void =>
    quiet(async () => (await held.get()).note(peer, deed, id));
  const listen = async (): Promise<void> => {
    // A reader that fell behind is ended: it goes on with what comes then.
    while (!stopping.aborted)
      for await (const { event } of deps.events.subscribe(stopping))
        if (telling.has(event.type)) quiet(async () => (await held.get()).see(event));
  };
  const standing = (peer: PeerId): number => held.now()?.score(peer) ?? limits.unknownScore;
  const detail = (reputation: ReputationView): ReputationDetail => {
    return { v: 1, reputation, admissionMin: deps.admissionMin };
  };
  let serving: Disposable | undefined;
  return {
    list: async () => (await held.get()).list(),
    get: async (text) => detail((await held.get()).get(text)),
    letIn: async (text) => detail(await (await held.get()).letIn(text)),
    note,
    failed: (peer, error) => quiet(async () => (await held.get()).failed(peer, error)),
    now: (peer) => held.now()?.score(peer),
    async scores() {
      const room = await held.get();
      return (peer) => room.score(peer);
    },
    standing,
    admit(peer) {
      const score = standing(peer);
      if (score >= deps.admissionMin) return;
      logger.info('lease-not-given', { peer, score, least: deps.admissionMin });
      const why = 'your reputation with this peer is below what it asks for a lease';
      const how = 'its owner sees every reason with `peerai peers reputation` and your name';
      throw new PeerAiError<PeerErrorCode>('REPUTATION_LOW', `${why}; ${how}`);
    },
    isRefused: (peer) => held.now()?.isRefused(peer) === true,
    met(peer) {
      const room = held.now();
      if (room !== undefined) quiet(() => room.met(peer));
    },
    review(peer) {
      // Once a day: blocking and unblocking to and fro is one decision.
      const day = Math.floor(clock.nowMs() / 86_400_000);
      if (devices.get(peer)?.blocked === true) note(peer, 'blocked', `${day}`);
    },
    async start() {
      serving = serveMethod(
        deps.network,
        reputationMethod,
        async ({ subjects }, { peer }) => ({ opinions: held.now()?.opinionsFor(peer, subjects) ?? [] }),
        { clock },
      );
      quiet(listen);
      if (await isUsed(deps.store)) await held.get();
    },
    async stop() {
      serving?.[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}
const telling = new Set(['receipt-signed', 'task-changed', 'lease-changed', 'market-changed']);

/** Whether anybody did anything. */
async function isUsed(store: ReputationDeps['store']): Promise<boolean> {
  for await (const _ of store.range('peer/', 'peer0', { limit: 1 })) return true;
  return false;
}
