import { type Clock, type Identity, type PeerId, toHex } from '@peerai/core-protocol';
import type { PcpProfile, PcpReply } from '@peerai/core-protocol/pcp';
import type { Contacts } from './contacts.ts';
import type { Counts } from './counts.ts';
import { httpLimits } from './limits.ts';

/** What waits and what became of what does not wait any more. */
export interface QueueFacts {
  readonly size: number;
  readonly sent: number;
  readonly failed: number;
  readonly discarded: number;
}
/** A peer of ours in the lists. */
export interface KnownPeer {
  readonly peer: PeerId;
  readonly name: string;
  readonly url?: string;
  /** What its heartbeat over a link says; without one, what its HTTP says. */
  readonly health?: 'healthy' | 'unhealthy';
}
export interface ViewDeps {
  readonly identity: Identity;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly contacts: Contacts;
  readonly counts: Counts;
  readonly paired: () => readonly KnownPeer[];
  /** How often peers are asked how they are. */
  readonly heartbeatMs?: number;
  /** Throws when the disk does not answer any more: then this peer is not healthy. */
  readonly queue: () => Promise<QueueFacts>;
}
export interface ViewOptions {
  readonly entityId: string;
  readonly profiles: readonly PcpProfile[];
  readonly isOpen: boolean;
}

interface Listed extends KnownPeer {
  readonly hasKey: boolean;
}
function known({ contacts, paired }: ViewDeps): readonly Listed[] {
  return [
    ...paired().map((peer) => ({ ...peer, hasKey: true })),
    ...contacts.list().map(({ peer, name, url, publicKey }) => ({
      peer,
      name,
      hasKey: publicKey !== undefined,
      ...(url === undefined ? {} : { url }),
    })),
  ];
}

/** `GET /health`: the reference's fields, and how strangers are met. 503 when the disk does not answer. */
export async function healthView(deps: ViewDeps, options: ViewOptions, port: number): Promise<PcpReply> {
  const queue = await deps.queue().catch(() => undefined);
  const peers = known(deps);
  const states = peers.map(({ name, peer, health }) => {
    const byHttp = deps.counts.isHealthy(peer) ? 'healthy' : 'unknown';
    return [name, health ?? byHttp] as const;
  });
  const healthy = states.filter(([, state]) => state === 'healthy').length;
  const { size = 0, sent = 0, failed = 0, discarded = 0 } = queue ?? {};
  const body = {
    entity_id: options.entityId,
    port,
    peers: peers.length,
    healthy_peers: healthy,
    total_stats_entries: deps.counts.list().length,
    crypto_available: true,
    signing_enabled: true,
    verification_enabled: true,
    public_key: toHex(deps.identity.publicKey),
    status: queue === undefined ? 'unhealthy' : 'healthy',
    timestamp: new Date(deps.clock.nowMs()).toISOString(),
    queue: { size, stats: { queued: size + sent + failed + discarded, sent, failed, discarded } },
    heartbeat: {
      peer_status: Object.fromEntries(states),
      healthy_count: healthy,
      interval_ms: deps.heartbeatMs ?? httpLimits.heartbeatMs,
    },
    trust: options.isOpen ? 'open' : 'known',
    profiles: options.profiles,
  };
  return { status: queue === undefined ? 503 : 200, body };
}

/** `GET /peers`. */
export function peersView(deps: ViewDeps, { entityId }: ViewOptions): PcpReply {
  const peers = known(deps).map(({ name, url, hasKey }) => ({
    entity_id: name,
    address: url ?? null,
    has_public_key: hasKey,
  }));
  return { status: 200, body: { entity_id: entityId, peers, count: peers.length } };
}

/** `GET /stats`: messages over HTTP since the start. */
export function statsView(deps: ViewDeps, { entityId }: ViewOptions): PcpReply {
  const names = new Map(known(deps).map((peer) => [peer.peer, peer]));
  const stats = deps.counts.list().map(([peer, counts]) => {
    const { name = peer, url } = names.get(peer) ?? {};
    const view = {
      entity_id: name,
      address: url ?? null,
      total_messages_sent: counts.sent,
      total_messages_received: counts.received,
      successful_deliveries: counts.delivered,
      failed_deliveries: counts.failed,
      last_seen: counts.seenMs === undefined ? null : new Date(counts.seenMs).toISOString(),
      last_error: counts.lastError ?? counts.toldError ?? null,
      is_healthy: deps.counts.isHealthy(peer),
    };
    return [name, view] as const;
  });
  return { status: 200, body: { entity_id: entityId, stats: Object.fromEntries(stats) } };
}

/** `GET /public-key`. */
export const keyView = ({ identity }: ViewDeps, { entityId }: ViewOptions): PcpReply => ({
  status: 200,
  body: { entity_id: entityId, public_key: toHex(identity.publicKey) },
});

/** `GET /`. */
export const rootView = (deps: ViewDeps, { entityId }: ViewOptions): PcpReply => ({
  status: 200,
  body: {
    entity_id: entityId,
    service: 'PeerAI peer protocol',
    version: '1.0',
    peers_count: known(deps).length,
    crypto_available: true,
    signing_enabled: true,
    verification_enabled: true,
  },
});

/** `GET /v0.1/health`. */
export async function oldHealthView(deps: ViewDeps, { entityId }: ViewOptions): Promise<PcpReply> {
  const queue = await deps.queue().catch(() => undefined);
  const all = deps.counts.list();
  const body = {
    status: queue === undefined ? 'unhealthy' : 'healthy',
    version: '0.1',
    entity_id: entityId,
    stats: {
      messages_received: deps.counts.verified + deps.counts.rejected,
      messages_sent: all.reduce((sum, [, { sent }]) => sum + sent, 0),
      messages_verified: deps.counts.verified,
      messages_rejected: deps.counts.rejected,
      peers_connected: known(deps).length,
    },
  };
  return { status: queue === undefined ? 503 : 200, body };
}

/** `GET /v0.1/public-key`. */
export const oldKeyView = ({ identity }: ViewDeps, { entityId }: ViewOptions): PcpReply => ({
  status: 200,
  body: { entity_id: entityId, public_key: toHex(identity.publicKey), algorithm: 'Ed25519' },
});
