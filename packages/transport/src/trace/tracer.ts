import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { Clock, ConnectionStep, ConnectionTrace, PeerId, Random, StepTrace } from '@peerai/core-protocol';
import { channelClosed, reasonOf } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { planAddresses } from '../network/addresses.ts';
import { dialAddress } from '../network/dialer.ts';
import { pingConnection } from '../network/link-ping.ts';
import { faultAt, stepAt } from './classify.ts';
import { limits } from './limits.ts';

export interface TracerDeps {
  readonly components: Components;
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses known besides the peer store and the given ones. */
  readonly known: (peer: PeerId) => Promise<readonly string[]>;
  /** One address, milliseconds. */
  readonly addressMs: number;
  /** In a private network: what answers there is not under our key. Absent outside of one. */
  readonly isForeign?: ((address: string) => boolean) | undefined;
}

/** Dials every address to its end, at once. What comes up is closed again; only without any other link the first is kept. */
export async function traceAddresses(
  { components, clock, random, known, addressMs, isForeign }: TracerDeps,
  peer: PeerId,
  given: readonly string[],
  signal: AbortSignal,
): Promise<ConnectionTrace> {
  const atMs = clock.nowMs();
  const remote = peerIdFromString(peer);
  const stored = await components.peerStore.get(remote).catch(() => undefined);
  const told = (stored?.addresses ?? []).map((one) => one.multiaddr.toString());
  const plan = planAddresses(peer, [...told, ...(await known(peer)), ...given]);
  const unusable = plan.unusable.map(({ address, reason }) => ({
    address,
    cause: reason,
    ...faultAt(address, 'resolve', reason),
  }));
  // Each relayed address stands for a WebRTC one too, which this node may not speak.
  const webrtc = plan.webrtc.filter((address) => isSpoken(components, address));
  const addresses = [...plan.direct, ...plan.relayed, ...webrtc, ...plan.file];
  let isLinked = components.connectionManager.getConnections(remote).some(({ status }) => status === 'open');

  async function tryOne(address: string): Promise<StepTrace[]> {
    const watch = createStopwatch(clock, address);
    try {
      const connection = await dialAddress(components, clock, address, addressMs, signal, watch);
      watch.enter('upgrade');
      if (isForeign !== undefined) watch.enter('membership');
      // Who blocks us closes the connection right after its handshake, and says so nowhere; a member is waited for.
      await pingConnection(connection, { clock, random }, clock.deadline(addressMs, signal));
      if (isLinked) connection.abort(channelClosed('this link was only a trial'));
      isLinked = true;
      return watch.passed();
    } catch (error) {
      return watch.failed(reasonOf(error), isForeign?.(address) === true);
    }
  }
  const tried = await Promise.all(addresses.slice(0, limits.traceAddressesMax).map(tryOne));
  const steps = [...unusable, ...tried.flat()];
  return {
    peer,
    atMs,
    steps:
      steps.length > 0 ? steps : [{ step: 'resolve', code: 'NO_ADDRESS', address: '', cause: 'no address is known' }],
  };
}

const isSpoken = ({ transportManager }: Components, address: string): boolean =>
  transportManager.dialTransportForMultiaddr(multiaddr(address)) !== undefined;

/** Takes libp2p's word of what it begins, and keeps how long each step took. */
function createStopwatch(clock: Clock, address: string) {
  const begun: string[] = [];
  const steps: StepTrace[] = [];
  let step: ConnectionStep = stepAt(address, ['']);
  let sinceMs = clock.elapsedMs();
  const end = (code: StepTrace['code'], cause: string, at = step): void => {
    const nowMs = clock.elapsedMs();
    steps.push({ step: at, code, address, cause, tookMs: Math.round((nowMs - sinceMs) * 10) / 10 });
    sinceMs = nowMs;
  };
  const enter = (next: ConnectionStep): void => {
    if (next === step) return;
    end('OK', '');
    step = next;
  };
  return {
    get length() {
      return begun.length;
    },
    push(what: string) {
      begun.push(what);
      enter(stepAt(address, begun));
      return begun.length;
    },
    enter,
    passed() {
      end('OK', '');
      return steps;
    },
    failed(reason: string, isForeign: boolean) {
      const fault = isForeign
        ? ({ step: 'membership', code: 'PRIVATE_NETWORK' } as const)
        : faultAt(address, step, reason);
      end(fault.code, reason, fault.step);
      return steps;
    },
  };
}
