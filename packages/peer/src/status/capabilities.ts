import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  utf8,
} from '@peerai/core-protocol';
import { standardSuites } from '@peerai/core-protocol/session';
import type { PeerMessenger } from '@peerai/messaging';
import type { KnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { createCapabilityLetters } from './capability-letters.ts';
import { type Capabilities, capabilitiesMethod } from './status-protocol.ts';
import type { CapabilitiesView } from './status.schema.ts';

export interface CapabilitiesDeps {
  readonly self: PeerId;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly messenger: PeerMessenger;
  readonly devices: Devices;
  readonly known: KnownPeers;
  readonly name: () => string;
  /** Program and version. */
  readonly agent: string;
  readonly addresses: () => readonly string[];
  /** Names of the models a peer may use; none for one that may not. */
  readonly modelsFor: (peer: PeerId | undefined) => readonly string[];
  readonly taskTypes: () => readonly string[];
  /** Versions of the peer protocol, highest first. */
  readonly versions: readonly string[];
  readonly messageTypes: () => readonly string[];
  /** Operators of the networks that this peer's engine computes. */
  readonly operators: () => Promise<readonly string[]>;
  /** Where its owner says it is. */
  readonly region?: string | undefined;
}
/** What this peer and those it knows can do. */
export interface PeerCapabilities {
  own(): Promise<CapabilitiesView>;
  /**
   * A device's or an older peer's, kept for ten minutes; while it is away what it said last, however old. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE,
   * TIMEOUT, REFUSED (a version without this question).
   */
  of(text: string, signal: AbortSignal, fresh?: boolean): Promise<CapabilitiesView>;
  /** Asks again, quietly. */
  learn(peer: PeerId, signal: AbortSignal): Promise<void>;
  /** The answer to a query that came by HTTP; it goes as a message of its own too, where there is an address. */
  answer(peer: PeerId, queryId: string | undefined): Promise<Capabilities>;
  /** Answers the same question of others until disposed. */
  serve(): Disposable;
}

export function createCapabilities(deps: CapabilitiesDeps): PeerCapabilities {
  const { clock, known: peers } = deps;
  const known = new Map<PeerId, Omit<CapabilitiesView, 'name'>>();
  const say = (peer: PeerId | undefined): Promise<Capabilities> => sayOf(deps, peer);
  const letters = createCapabilityLetters({
    ...deps,
    say,
    told: (peer, said) => void known.set(peer, viewOf(peer, said, clock.nowMs())),
  });
  /** Over a link; an older peer, and a device that no link reaches but HTTP does, by letter. */
  const ask = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    const device = deps.devices.get(peer);
    if (device === undefined) return letters.ask(peer, signal);
    try {
      const options = { signal, addresses: device.addresses };
      const { capabilities } = await callMethod(deps, peer, capabilitiesMethod, {}, options);
      known.set(peer, viewOf(peer, capabilities, clock.nowMs()));
    } catch (error) {
      if (device.http === undefined || !PeerAiError.is(error, 'PEER_UNREACHABLE') || signal.aborted) throw error;
      await letters.ask(peer, signal);
    }
  };
  return {
    own: async () => ({ ...viewOf(deps.self, await say(undefined), clock.nowMs()), name: deps.name() }),
    async of(text, signal, fresh = false) {
      const { peer, name } = peers.find(text);
      const old = known.get(peer);
      if (fresh || old === undefined || clock.nowMs() - old.askedMs > limits.capabilitiesKeptMs) {
        try {
          await ask(peer, signal);
        } catch (error) {
          if (old === undefined || !PeerAiError.is(error)) throw error;
        }
      }
      const now = known.get(peer);
      if (now === undefined) throw new PeerAiError('DEVICE_UNKNOWN', 'this device was removed meanwhile');
      return { ...now, name };
    },
    async learn(peer, signal) {
      if (peers.get(peer) === undefined) known.delete(peer);
      else await ask(peer, signal).catch(() => undefined);
    },
    async answer(peer, queryId) {
      const said = await say(peer);
      // The asker has its answer; whether the message gets there too is between it and the outbox.
      await letters.answered(peer, queryId, said).catch(() => undefined);
      return said;
    },
    serve() {
      letters.start();
      const answering = serveMethod(
        deps.network,
        capabilitiesMethod,
        async (_, { peer }) => ({ capabilities: await say(peer) }),
        { clock },
      );
      return {
        [Symbol.dispose]() {
          letters.stop();
          answering[Symbol.dispose]();
        },
      };
    },
  };
}

async function sayOf(deps: CapabilitiesDeps, peer: PeerId | undefined): Promise<Capabilities> {
  const { versions, crypto } = deps;
  const suites = standardSuites(crypto).map(({ name }) => [name, true] as const);
  return {
    // What a reader of one version only looks for; ours alone counts from another end.
    protocol_version: versions.find((version) => /^\d/u.test(version)) ?? versions[0] ?? '',
    protocol_versions: versions,
    supported_msg_types: most([...new Set(deps.messageTypes())].toSorted()),
    crypto_features: {
      ed25519_signing: true,
      signature_verification: true,
      replay_protection: true,
      payload_encryption: true,
      x25519_ml_kem_768: true,
      ...Object.fromEntries(suites),
    },
    endpoints: most(deps.addresses()).slice(0, limits.addressesMax),
    entity_id: deps.self,
    agent: deps.agent,
    models: most(deps.modelsFor(peer)),
    task_types: most(deps.taskTypes()),
    nn_operators: most(await deps.operators()),
    ...(deps.region === undefined ? {} : { region: deps.region }),
  };
}

/** The first entries that a reader takes, and that leave the other lists their room in one answer: one name too long must not cost all the others. */
function most(list: readonly string[]): readonly string[] {
  let bytes = 0;
  const fit = list
    .filter((one) => one.length <= limits.capabilityCharsMax)
    .filter((one) => (bytes += utf8(JSON.stringify(one)).length + 1) <= limits.capabilityListBytesMax);
  return fit.slice(0, limits.capabilityEntriesMax);
}

function viewOf(peer: PeerId, said: Capabilities, askedMs: number): Omit<CapabilitiesView, 'name'> {
  const { protocol_version: version, protocol_versions: versions } = said;
  return {
    v: 1,
    peerId: peer,
    agent: said.agent,
    protocolVersions: version === '' || versions.includes(version) ? [...versions] : [version, ...versions],
    messageTypes: [...said.supported_msg_types],
    crypto: Object.entries(said.crypto_features).flatMap(([name, on]) => (on ? [name] : [])),
    endpoints: [...said.endpoints],
    models: [...said.models],
    taskTypes: [...said.task_types],
    operators: [...said.nn_operators],
    ...(said.region === undefined ? {} : { region: said.region }),
    askedMs,
  };
}
