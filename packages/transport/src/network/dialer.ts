import type { Connection } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { type Clock, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { reasonOf, transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { type AddressPlan, transportOf } from './addresses.ts';

const hostOf = (address: string): string => address.split('/')[2] ?? '';
const isQuic = (address: string): boolean => transportOf(address) === 'quic';

/** One address that was tried, and why it did not become a link. */
export interface Attempt {
  readonly address: string;
  readonly step: 'address' | 'direct' | 'relay' | 'webrtc' | 'file' | 'link' | 'identity';
  readonly reason: string;
  /** What libp2p began on the way, in order. */
  readonly begun?: readonly string[];
}

/**
 * One address through libp2p's transports. Not through its dial queue: that joins all dials of one peer into one promise
 * and one error, and we want to say which address failed how.
 */
export async function dialAddress(
  components: Components,
  clock: Clock,
  address: string,
  timeoutMs: number,
  signal: AbortSignal,
  begun: Pick<string[], 'push' | 'length'> = [],
): Promise<Connection> {
  const bounded = clock.deadline(timeoutMs, signal);
  const dial = new AbortController();
  const stop = (): void => dial.abort(bounded.reason);
  if (bounded.aborted) throw bounded.reason;
  bounded.addEventListener('abort', stop, { once: true });
  try {
    const onProgress = ({ type }: { type: string }): void => {
      if (begun.length < limits.dialStepsMax) begun.push(type);
    };
    const options = { signal: dial.signal, onProgress };
    const work = components.transportManager.dial(multiaddr(address), options);
    // One that comes about after all: nobody waits for it, and the peer would take it for a second link.
    work.then(
      (connection) => void (dial.signal.aborted && connection.abort(transportError('ABORTED', 'dialled too late'))),
      () => undefined,
    );
    return await raceAbort(work, dial.signal);
  } finally {
    // @libp2p/tcp ties the socket to this signal for life: after the dial it must never fire.
    bounded.removeEventListener('abort', stop);
  }
}

/** Rejects when the signal fires although the work does not listen to it. */
function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

/** A relay answered that it has no place for the peer (NO_RESERVATION, of which libp2p keeps only the text): it is away, or just starting. */
export const lacksPlace = ({ step, reason }: Attempt): boolean => step === 'relay' && reason.includes('NO_RESERVATION');

/**
 * WebRTC, one address after the other until the time is up: a connection that ends while it comes up leaves @libp2p/webrtc waiting for ever,
 * and two tries at once leave native objects behind. Throws PEER_UNREACHABLE.
 */
export async function dialWebrtc(
  components: Components,
  clock: Clock,
  addresses: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
  attempts: Attempt[] = [],
): Promise<Connection> {
  const endMs = clock.elapsedMs() + timeoutMs;
  let tryMs: number = limits.webrtcTryMs;
  for (let turn = 0; addresses.length > 0 && clock.elapsedMs() < endMs && !signal.aborted; turn += 1) {
    const address = addresses[turn % addresses.length] ?? '';
    const begun: string[] = [];
    try {
      const leftMs = Math.min(tryMs, endMs - clock.elapsedMs());
      return await dialAddress(components, clock, address, leftMs, signal, begun);
    } catch (error) {
      attempts.push({ address, step: 'webrtc', reason: reasonOf(error), begun });
      if (!PeerAiError.is(error, 'TIMEOUT') && turn + 1 >= addresses.length) break;
      tryMs *= 1.5;
    }
  }
  throw transportError('PEER_UNREACHABLE', 'no direct link came about', { attempts });
}

/**
 * Happy eyeballs: sockets at once, QUIC a moment later, relays and a shared folder after a short head start or as soon as no direct one is left.
 * Throws PEER_UNREACHABLE with `details.attempts` once every address has failed.
 */
export async function dialPlan(
  components: Components,
  clock: Clock,
  plan: AddressPlan,
  options: {
    readonly directOnly: boolean;
    readonly timeoutMs: number;
    /** For one direct address. */
    readonly addressMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Connection> {
  const attempts: Attempt[] = plan.unusable.map((one) => ({ ...one, step: 'address' }));
  const won = new AbortController();
  const signal = AbortSignal.any([won.signal, options.signal]);
  const first = Promise.withResolvers<Connection>();
  let isWon = false;
  /** Hosts that are up and where nobody listens: QUIC would not hear of it and wait until its time is up. */
  const closedHosts = new Set<string>();

  const tryAll = async (addresses: readonly string[], step: Attempt['step'], timeoutMs: number): Promise<void> => {
    await Promise.all(
      addresses.slice(0, limits.dialAddressesMax).map(async (address) => {
        const begun: string[] = [];
        try {
          const connection = await dialAddress(components, clock, address, timeoutMs, signal, begun);
          if (isWon) connection.abort(transportError('ABORTED', 'another address was quicker'));
          isWon = true;
          first.resolve(connection);
        } catch (error) {
          const reason = reasonOf(error);
          attempts.push({ address, step, reason, begun });
          if (reason.includes('ECONNREFUSED')) closedHosts.add(hostOf(address));
        }
      }),
    );
  };

  const tryDirect = async (): Promise<void> => {
    const [quic, sockets] = [plan.direct.filter(isQuic), plan.direct.filter((address) => !isQuic(address))];
    const sure = tryAll(sockets, 'direct', options.addressMs);
    await Promise.race([sure, clock.sleep(sockets.length > 0 ? limits.quicAfterMs : 0, signal)]);
    const open = quic.filter((address) => !closedHosts.has(hostOf(address)));
    for (const address of quic.filter((one) => !open.includes(one)))
      attempts.push({ address, step: 'direct', reason: 'this host refused TCP, so nobody listens there' });
    await Promise.all([sure, tryAll(open, 'direct', options.addressMs)]);
  };

  const work = async (): Promise<never> => {
    const direct = tryDirect();
    await Promise.race([direct, clock.sleep(plan.direct.length > 0 ? limits.relayHeadStartMs : 0, signal)]);
    const folder = tryAll(plan.file, 'file', options.timeoutMs);
    if (options.directOnly) {
      const webrtc = dialWebrtc(components, clock, plan.webrtc, options.timeoutMs, signal, attempts);
      await Promise.all([direct, folder, webrtc.then(first.resolve, () => undefined)]);
    } else await Promise.all([direct, folder, tryAll(plan.relayed, 'relay', options.timeoutMs)]);
    throw transportError('PEER_UNREACHABLE', 'none of the addresses of this peer answered', { attempts });
  };

  try {
    return await Promise.race([first.promise, work()]);
  } finally {
    won.abort(transportError('ABORTED', 'another address was quicker'));
  }
}

/**
 * libp2p dials by itself too: for relays, the DHT, gossip. Two dials of one peer at the same time make two links. So its dials wait for one of ours that is
 * under way and then find the link; the function that comes back makes ours wait for one of its own. Each for a while only, since dials through each other's
 * peers could wait for one another. It never throws.
 */
export function shareDials(
  { connectionManager }: Components,
  clock: Clock,
  ours: ReadonlyMap<string, Promise<unknown>>,
): (peer: PeerId, signal: AbortSignal) => Promise<void> {
  const openConnection = connectionManager.openConnection.bind(connectionManager);
  connectionManager.openConnection = async (target, options) => {
    const text = String(Array.isArray(target) ? target[0] : target);
    const mine = ours.get(text.slice(text.lastIndexOf('/') + 1));
    if (mine !== undefined) await Promise.race([mine.catch(() => undefined), clock.sleep(limits.joinDialMs)]);
    return openConnection(target, options);
  };
  return async (peer, signal) => {
    const isDialled = connectionManager.getDialQueue().some(({ peerId }) => peerId?.toString() === peer);
    if (!isDialled) return;
    const bounded = clock.deadline(limits.joinDialMs, signal);
    await openConnection(peerIdFromString(peer), { signal: bounded }).catch(() => undefined);
  };
}
