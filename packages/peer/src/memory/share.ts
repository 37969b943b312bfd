import { callMethod, type Clock, type Logger, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Device, Devices } from '../pairing/devices.ts';
import { newestKey } from '../pairing/newest-key.ts';
import { memoryMethod, plainQuestion } from './memory-protocol.ts';
import type { MemoryRoom } from './memory-room.ts';
import type { MemorySharedView, WaitingShareView } from './memory.schema.ts';
import type { Names } from './views.ts';
import type { WaitingShare, WaitingShares } from './waiting.ts';

export interface ShareDeps extends Names {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly waiting: WaitingShares;
  /** A share waits now, or no more. */
  readonly changed: (capsule: string, isHere: boolean) => void;
}
/** No word came back; every other code is the other's answer. */
const awayCodes = ['PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT'] as const;

/**
 * Hands a capsule to a paired peer, which checks and keeps it; for one that is away it waits, on disk before it is first tried.
 * Throws NOT_FOUND, CAPSULE_PERSONAL, REFUSED, DEVICE_UNKNOWN, LIMIT_EXCEEDED (too many wait), and what the other says.
 */
export async function shareCapsule(
  deps: ShareDeps,
  room: MemoryRoom,
  id: string,
  to: string,
  signal: AbortSignal,
): Promise<MemorySharedView> {
  const device = deps.devices.find(to);
  const { peer, name } = device;
  const { capsule, signed } = await room.handOut(id, peer);
  const view = { v: 1 as const, capsule, peerId: peer, peerName: name };
  await deps.waiting.put({ capsule: capsule.id, peer, sinceMs: deps.clock.nowMs() });
  try {
    const outcome = await give(deps, device, signed, signal);
    await deps.waiting.remove(capsule.id, peer);
    return { ...view, outcome };
  } catch (error) {
    if (!signal.aborted && PeerAiError.is(error, ...awayCodes)) {
      deps.changed(capsule.id, true);
      return { ...view, outcome: 'waiting' };
    }
    await deps.waiting.remove(capsule.id, peer);
    throw error;
  }
}

/** Gives a peer that is here what waits for it; what it does not take goes on waiting, with its reason. False when no word came back. Throws ABORTED, what the store throws. */
export async function sendWaiting(
  deps: ShareDeps,
  openRoom: () => Promise<MemoryRoom>,
  to: PeerId,
  signal: AbortSignal,
): Promise<boolean> {
  for (const share of await deps.waiting.list()) {
    if (newestKey(deps.devices, share.peer) !== to) continue;
    const device = deps.devices.get(to);
    if (device === undefined || device.blocked) return true;
    const isDone = await sendOne(deps, await openRoom(), share, device, signal);
    if (!isDone) return false;
    deps.changed(share.capsule, true);
  }
  return true;
}

/** False when the peer is gone again. */
async function sendOne(
  deps: ShareDeps,
  room: MemoryRoom,
  share: WaitingShare,
  device: Device,
  signal: AbortSignal,
): Promise<boolean> {
  const { capsule, peer } = share;
  try {
    const { signed } = await room.handOut(capsule, device.peer);
    await give(deps, device, signed, signal);
    await deps.waiting.remove(capsule, peer);
    return true;
  } catch (error) {
    if (signal.aborted || !PeerAiError.is(error)) throw error;
    deps.logger.debug('capsule-not-given', { peer: device.peer, code: error.code });
    if (PeerAiError.is(error, ...awayCodes)) return false;
    // It was cancelled or forgotten meanwhile: nothing waits any more.
    if (await deps.waiting.remove(capsule, peer)) await deps.waiting.put({ ...share, problem: error.message });
    return true;
  }
}

async function give(
  deps: ShareDeps,
  { peer, addresses }: Device,
  signed: Uint8Array,
  signal: AbortSignal,
): Promise<'taken' | 'known'> {
  const question = { ...plainQuestion, kind: 'share' as const, signed };
  const { outcome } = await callMethod(deps, peer, memoryMethod, question, { signal, addresses });
  return outcome === 'known' ? 'known' : 'taken';
}

/** For people, the longest waiting first. */
export async function waitingViews(deps: ShareDeps, room: MemoryRoom): Promise<WaitingShareView[]> {
  const shares = [...(await deps.waiting.list())].toSorted((a, b) => a.sinceMs - b.sinceMs);
  return shares.flatMap(({ capsule, peer, sinceMs, problem }) => {
    const summary = room.summaryOf(capsule);
    if (summary === undefined) return [];
    const at = newestKey(deps.devices, peer);
    const view = { capsuleId: capsule, summary, peerId: at, peerName: deps.nameOf(at), sinceMs };
    return [problem === undefined ? view : { ...view, problem }];
  });
}

/** Throws NOT_FOUND where none waits, DEVICE_UNKNOWN. */
export async function cancelShare(deps: ShareDeps, room: MemoryRoom, id: string, to: string): Promise<void> {
  const { peer } = deps.devices.find(to);
  const capsule = (await room.get(id)).id;
  const share = (await deps.waiting.list()).find(
    (one) => one.capsule === capsule && newestKey(deps.devices, one.peer) === peer,
  );
  if (share === undefined || !(await deps.waiting.remove(capsule, share.peer)))
    throw new PeerAiError('NOT_FOUND', 'this capsule does not wait for this peer');
  deps.changed(capsule, true);
}
