import { PeerAiError } from '@peerai/core-protocol';
import {
  type HttpFace,
  type HttpPost,
  sessionAsk,
  type SessionDialer,
  type SessionFacts,
} from '@peerai/messaging/http';
import type { Devices } from '../pairing/devices.ts';
import type { HandshakeView, PeerSessionView } from './sessions.schema.ts';

/** Sessions by HTTP with paired devices. Letters make theirs by themselves; here people look and try. */
export interface PeerSessions {
  /**
   * A new session with this device, in three or six steps. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE (also for a device that tells no HTTP address), the
   * code of a refusal, and what ends a handshake.
   */
  handshake(text: string, options: { readonly six: boolean }, signal: AbortSignal): Promise<HandshakeView>;
  /** Open ones, those that others began first. */
  list(): readonly PeerSessionView[];
}

export function createPeerSessions({
  devices,
  face,
  dialer,
  post,
}: {
  readonly devices: Devices;
  readonly face: Pick<HttpFace, 'sessions'>;
  readonly dialer: SessionDialer;
  readonly post: HttpPost | undefined;
}): PeerSessions {
  const view = ({ peer, ...facts }: SessionFacts): PeerSessionView => ({
    id: facts.id,
    peerId: peer,
    name: devices.get(peer)?.name ?? `stranger-${peer.slice(-6)}`,
    role: facts.role,
    suite: facts.suite,
    expiresMs: facts.expiresMs,
  });
  return {
    async handshake(text, { six }, signal) {
      const { peer, name, http } = devices.find(text);
      if (post === undefined) throw new PeerAiError('PEER_UNREACHABLE', 'nothing is sent by HTTP here: a proxy is set');
      if (http === undefined) {
        throw new PeerAiError(
          'PEER_UNREACHABLE',
          `${name} tells no HTTP address: set http.bind or http.external_url there`,
        );
      }
      const made = await dialer.handshake(peer, six ? 'six' : 'three', sessionAsk(post, http), signal);
      return { v: 1, ...view(made), state: 'established', steps: six ? 6 : 3, theirId: made.theirs };
    },
    list: () => [...face.sessions(), ...dialer.list()].map(view),
  };
}
