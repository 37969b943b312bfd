import { callMethod, type Clock, type Network, PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { type Capabilities, capabilitiesMethod } from './status-protocol.ts';
import type { CapabilitiesView } from './status.schema.ts';

export interface CapabilitiesDeps {
  readonly self: PeerId;
  readonly network: Network;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly name: () => string;
  /** Program and version. */
  readonly agent: string;
  readonly addresses: () => readonly string[];
  /** Names of the models a device may use; none for one that may not chat. */
  readonly modelsFor: (peer: PeerId | undefined) => readonly string[];
  readonly taskTypes: () => readonly string[];
  readonly messageTypes: readonly string[];
}
/** What this peer and its devices can do. */
export interface PeerCapabilities {
  own(): CapabilitiesView;
  /**
   * A device's, kept for ten minutes; while it is away what it said last, however old. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE, REFUSED (a version
   * without this question).
   */
  of(text: string, signal: AbortSignal, fresh?: boolean): Promise<CapabilitiesView>;
  /** Asks again, quietly. */
  learn(peer: PeerId, signal: AbortSignal): Promise<void>;
  /** Answers the same question of others until disposed. */
  serve(): Disposable;
}

export function createCapabilities(deps: CapabilitiesDeps): PeerCapabilities {
  const { clock, devices } = deps;
  const known = new Map<PeerId, Omit<CapabilitiesView, 'name'>>();
  const say = (peer: PeerId | undefined): Capabilities => ({
    protocol_version: versions[0],
    protocol_versions: versions,
    supported_msg_types: deps.messageTypes,
    crypto_features: {
      ed25519_signing: true,
      signature_verification: true,
      replay_protection: true,
      payload_encryption: true,
    },
    endpoints: deps.addresses().slice(0, limits.addressesMax),
    entity_id: deps.self,
    agent: deps.agent,
    models: deps.modelsFor(peer).slice(0, limits.capabilityEntriesMax),
    task_types: deps.taskTypes().slice(0, limits.capabilityEntriesMax),
  });
  const ask = async (peer: PeerId, addresses: readonly string[], signal: AbortSignal): Promise<void> => {
    const { capabilities } = await callMethod(deps, peer, capabilitiesMethod, {}, { signal, addresses });
    known.set(peer, viewOf(peer, capabilities, clock.nowMs()));
  };
  return {
    own: () => ({ ...viewOf(deps.self, say(undefined), clock.nowMs()), name: deps.name() }),
    async of(text, signal, fresh = false) {
      const { peer, name, addresses } = devices.find(text);
      const old = known.get(peer);
      if (fresh || old === undefined || clock.nowMs() - old.askedMs > limits.capabilitiesKeptMs) {
        try {
          await ask(peer, addresses, signal);
        } catch (error) {
          if (old === undefined || !PeerAiError.is(error)) throw error;
        }
      }
      const now = known.get(peer);
      if (now === undefined) throw new PeerAiError('DEVICE_UNKNOWN', 'this device was removed meanwhile');
      return { ...now, name };
    },
    async learn(peer, signal) {
      const device = devices.get(peer);
      if (device === undefined) known.delete(peer);
      else await ask(peer, device.addresses, signal).catch(() => undefined);
    },
    serve: () =>
      serveMethod(deps.network, capabilitiesMethod, async (_, { peer }) => ({ capabilities: say(peer) }), { clock }),
  };
}

/** Versions of the peer protocol between agents of ours. */
const versions = ['1.1'] as const;

function viewOf(peer: PeerId, said: Capabilities, askedMs: number): Omit<CapabilitiesView, 'name'> {
  return {
    v: 1,
    peerId: peer,
    agent: said.agent,
    protocolVersions: [...new Set([said.protocol_version, ...said.protocol_versions])],
    messageTypes: [...said.supported_msg_types],
    crypto: Object.entries(said.crypto_features).flatMap(([name, on]) => (on ? [name] : [])),
    endpoints: [...said.endpoints],
    models: [...said.models],
    taskTypes: [...said.task_types],
    askedMs,
  };
}
