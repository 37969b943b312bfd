import { callMethod, type Logger, orAborted, PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import type { Device, Devices } from '../pairing/devices.ts';
import { ownLimits } from './limits.ts';
import { ownMethod, plainQuestion } from './own-protocol.ts';
import type { Brought, OwnRoomDeps } from './own-room.ts';
import type { OwnDevicesView } from './own.schema.ts';

export interface OwnDevicesDeps extends Omit<OwnRoomDeps, 'isOwn'> {
  readonly devices: Pick<Devices, 'get' | 'list'>;
  readonly events: EventHub;
  readonly logger: Logger;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly stopping: AbortSignal;
}

/** The devices that this one's owner declared its own, and that declared this one theirs: what one remembers and learns, all have. */
export interface OwnDevices {
  view(): OwnDevicesView;
  /** Compares with every one that is here, and has each compare with this one. Throws ABORTED. */
  sync(signal: AbortSignal): Promise<OwnDevicesView>;
  /** A paired device is here. */
  met(peer: PeerId): void;
  start(): void;
}
interface Progress extends Brought {
  syncedMs: number | null;
}

const nothingYet: Progress = { syncedMs: null, capsules: 0, forgotten: 0, clusters: 0, conflicts: 0 };

export function createOwnDevices(deps: OwnDevicesDeps): OwnDevices {
  const { devices, clock, events, logger, stopping, isOnline } = deps;
  const mine = (): readonly Device[] =>
    devices.list().filter(({ blocked, allow }) => !blocked && allow.includes('own'));
  const isOwn = (peer: PeerId): boolean => mine().some((device) => device.peer === peer);
  const roomDeps = { ...deps, isOwn };
  const room = async () => await import('./own-room.ts');
  const progress = new Map<PeerId, Progress>();
  const running = new Map<PeerId, Promise<void>>();
  const again = new Set<PeerId>();

  const pullOnce = async (device: Device, signal: AbortSignal): Promise<void> => {
    const { name } = device;
    const told = (done: number, all: number): void =>
      events.emit({ type: 'memory-progress', work: 'sync', name, done, all });
    const before = progress.get(device.peer) ?? nothingYet;
    const { problem: _, ...counts } = before;
    try {
      const { problem, ...brought } = await (await room()).pullFrom(roomDeps, device, signal, told);
      progress.set(device.peer, {
        syncedMs: clock.nowMs(),
        capsules: counts.capsules + brought.capsules,
        forgotten: counts.forgotten + brought.forgotten,
        clusters: counts.clusters + brought.clusters,
        conflicts: counts.conflicts + brought.conflicts,
        ...(problem === undefined ? {} : { problem }),
      });
    } catch (error) {
      // What came until then stays: each capsule is whole, and the next comparison goes on from there.
      if (signal.aborted) return;
      const isKnown = PeerAiError.is(error);
      if (!isKnown) logger.error('own-sync-failed', { peer: device.peer, error: String(error) });
      progress.set(device.peer, { ...counts, problem: isKnown ? error.message : 'it failed here; see the log' });
    }
  };
  /** One comparison at a time with each device; what is asked meanwhile makes one more after it. */
  const pull = (peer: PeerId, asked: AbortSignal = stopping): Promise<void> => {
    const now = running.get(peer);
    if (now !== undefined) {
      again.add(peer);
      return now;
    }
    const work = (async () => {
      // Who asked may leave; what others asked for meanwhile goes on.
      let signal = AbortSignal.any([asked, stopping]);
      do {
        again.delete(peer);
        const device = mine().find((one) => one.peer === peer);
        if (device === undefined || stopping.aborted) return;
        await pullOnce(device, signal);
        signal = stopping;
      } while (again.has(peer));
    })().finally(() => running.delete(peer));
    running.set(peer, work);
    return work;
  };
  /** Who is not there compares when it is back. */
  const tell = async ({ peer, addresses }: Device, signal: AbortSignal): Promise<void> => {
    try {
      await callMethod(deps, peer, ownMethod, { ...plainQuestion, kind: 'changed' }, { signal, addresses });
    } catch (error) {
      if (!signal.aborted)
        logger.debug('own-not-told', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  let isTelling = false;
  const tellLater = async (): Promise<void> => {
    if (isTelling) return;
    isTelling = true;
    await clock.sleep(ownLimits.tellAfterMs, stopping).catch(() => undefined);
    isTelling = false;
    if (stopping.aborted) return;
    const here = mine().filter(({ peer }) => isOnline(peer));
    await Promise.all(here.map((device) => tell(device, stopping)));
  };
  const watch = async (): Promise<void> => {
    // A reader that falls behind is ended: it begins anew.
    while (!stopping.aborted)
      for await (const { event } of events.subscribe(stopping))
        if (event.type === 'memory-changed' || event.type === 'cluster-changed') void tellLater();
  };
  const view = (): OwnDevicesView => ({
    v: 1,
    devices: mine().map(({ peer, name }) => ({
      peerId: peer,
      name,
      online: isOnline(peer),
      ...(progress.get(peer) ?? nothingYet),
    })),
  });
  return {
    view,
    async sync(signal) {
      const here = mine().filter(({ peer }) => isOnline(peer));
      const all = here.flatMap((device) => [pull(device.peer, signal), tell(device, signal)]);
      await orAborted(Promise.all(all), signal);
      return view();
    },
    met(peer) {
      if (isOwn(peer)) void pull(peer);
    },
    start() {
      const serving = serveMethod(
        deps.network,
        ownMethod,
        async function* answer(question, { peer }) {
          yield* (await room()).answerOwn(roomDeps, peer, question);
          if (question.kind === 'changed') void pull(peer);
        },
        { clock },
      );
      stopping.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
      void watch();
    },
  };
}
