import {
  callMethod,
  type Clock,
  type ConnectionCode,
  limits as coreLimits,
  type Network,
  type Paths,
  PeerAiError,
  type PeerId,
  type StepTrace,
} from '@peerai/core-protocol';
import { explain, tellingStep } from '../doctor/remedies.ts';
import { type Hello, helloMethod } from '../links/hello-protocol.ts';
import type { LinkBook } from '../links/link-book.ts';
import type { Relays } from '../links/relays.ts';
import type { Devices } from '../pairing/devices.ts';
import { createNetView } from './net.ts';
import type { NetView, TraceView, Trouble } from './paths.schema.ts';

export interface PeerPathsDeps {
  /** Absent where the network tells nothing of its attempts. */
  readonly paths?: Paths | undefined;
  readonly network: Network;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly links: Pick<LinkBook, 'get'>;
  readonly relays: Pick<Relays, 'list'>;
  readonly hello: () => Omit<Hello, 'leases'>;
}

/** The ways to and from this peer, and what is wrong with them. */
export interface PeerPaths {
  /** Why a device is away, as the last attempt told; or that its clock is wrong. */
  trouble(peer: PeerId): Trouble | undefined;
  relayTrouble(address: string): Trouble | undefined;
  /** Tries every address of a device now, then asks it something. Throws DEVICE_UNKNOWN. */
  trace(text: string, signal: AbortSignal): Promise<TraceView>;
  net(): NetView;
  /** What a device's hello says of its clock. */
  met(peer: PeerId, theirs: Hello): void;
}

export function createPeerPaths(deps: PeerPathsDeps): PeerPaths {
  const { paths, clock, devices, links, network } = deps;
  /** Of devices, so there are never more than those. */
  const aheadMs = new Map<PeerId, number>();
  const met = (peer: PeerId, { nowMs }: Hello): void => {
    for (const known of aheadMs.keys()) if (devices.get(known) === undefined) aheadMs.delete(known);
    if (nowMs === undefined) aheadMs.delete(peer);
    else aheadMs.set(peer, nowMs - clock.nowMs());
  };
  const isSkewed = (peer: PeerId): boolean => Math.abs(aheadMs.get(peer) ?? 0) > coreLimits.clockSkewMsMax;
  const skew = (peer: PeerId): StepTrace => ({
    step: 'protocol',
    code: 'CLOCK_SKEW',
    address: '',
    cause: `its clock is ${Math.round(Math.abs(aheadMs.get(peer) ?? 0) / 1_000)} s ${(aheadMs.get(peer) ?? 0) > 0 ? 'ahead of' : 'behind'} ours`,
  });
  const nameOf = (peer: PeerId): string => devices.get(peer)?.name ?? peer.slice(-8);
  const troubleOf = (step: StepTrace | undefined, name: string): Trouble | undefined => {
    const remedy = step === undefined ? undefined : explain(step, name);
    return step === undefined || remedy === undefined ? undefined : { step: step.step, code: step.code, ...remedy };
  };
  const relayTrouble = (address: string): Trouble | undefined => troubleOf(paths?.relay(address), 'the relay');

  async function greet(peer: PeerId, addresses: readonly string[], signal: AbortSignal): Promise<StepTrace> {
    const startedMs = clock.elapsedMs();
    const step = { step: 'protocol', address: '' } as const;
    const tookMs = (): number => Math.round((clock.elapsedMs() - startedMs) * 10) / 10;
    try {
      met(peer, await callMethod(deps, peer, helloMethod, { ...deps.hello(), leases: [] }, { signal, addresses }));
      return { ...step, code: 'OK', cause: '', tookMs: tookMs() };
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      return { ...step, code: codeOf(error), cause: error.message.slice(0, 200), tookMs: tookMs() };
    }
  }

  return {
    met,
    relayTrouble,
    trouble(peer) {
      const steps = paths?.last(peer)?.steps ?? [];
      const link = links.get(peer);
      if (link === undefined) return troubleOf(tellingStep(steps), nameOf(peer));
      // A link is there, and carries nothing.
      const isStripped = link.hybrid === false && devices.get(peer)?.hybrid === true;
      const refused = steps.find(({ code }) => code === 'POST_QUANTUM_REQUIRED') ?? (isStripped ? stripped : undefined);
      return troubleOf(refused ?? (isSkewed(peer) ? skew(peer) : undefined), nameOf(peer));
    },
    async trace(text, signal) {
      const { peer, name, addresses } = devices.find(text);
      // A link that is there only afterwards may be one of the attempts, which its other side is about to close.
      const wasLinked = links.get(peer) !== undefined;
      const tried = (await paths?.attempt(peer, { signal, addresses }))?.steps ?? [];
      const isLinked = paths === undefined || network.self === peer || tried.some(({ step, code }) => isUp(step, code));
      const isAsked = isLinked || (wasLinked && links.get(peer) !== undefined);
      const asked = isAsked ? [await greet(peer, addresses, signal)] : [];
      const reached = asked.some(({ code }) => code === 'OK');
      const steps = [...tried, ...asked, ...(reached && isSkewed(peer) ? [skew(peer)] : [])];
      const trouble = tellingStep(reached ? steps.filter(({ step }) => step === 'protocol') : steps);
      return {
        v: 1,
        peerId: peer,
        name,
        reached,
        steps: steps.map((step) => {
          const found = troubleOf(step, name);
          return { ...step, ...(found === undefined ? {} : { trouble: found }) };
        }),
        trouble: troubleOf(trouble, name) ?? null,
      };
    },
    net: createNetView({ ...deps, relayTrouble }),
  };
}

const stripped: StepTrace = {
  step: 'protocol',
  code: 'POST_QUANTUM_REQUIRED',
  address: '',
  cause: 'it seals its link no more',
};

/** The last steps of an address that works. */
const isUp = (step: StepTrace['step'], code: ConnectionCode): boolean =>
  code === 'OK' && (step === 'upgrade' || step === 'membership');

function codeOf(error: PeerAiError): ConnectionCode {
  if (error.code === 'REFUSED') return error.details['reason'] === 'unsupported' ? 'PROTOCOL_UNKNOWN' : 'REFUSED';
  if (error.code === 'LIMIT_REACHED') return 'FULL_THERE';
  if (error.code === 'INVALID_FORMAT' || error.code === 'INVALID_VERSION') return 'PROTOCOL_UNKNOWN';
  if (error.code === 'TIMEOUT') return 'NO_ANSWER';
  if (error.code === 'POST_QUANTUM_REQUIRED') return 'POST_QUANTUM_REQUIRED';
  return error.code === 'PRIVATE_NETWORK' || error.code === 'CLOCK_SKEW' ? error.code : 'CONNECTION_LOST';
}
