import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Clock, Logger } from '@peerai/core-protocol';
import { reasonOf } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createReservations, type Reservations } from './reservations.ts';

export interface KeeperDeps {
  readonly components: Components;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long one address may take; `limits.dialAddressMs` by default. */
  readonly dialAddressMs?: number;
  /** What the last look at a relay came to; without a reason, it is there as it should be. */
  readonly told?: ((relay: string, reason?: string) => void) | undefined;
}

/**
 * Keeps a connection to every relay, and a reservation where wanted, for as long as the node runs: libp2p alone listens
 * once and gives up when the relay is away.
 */
export function keepRelays(deps: KeeperDeps, relays: readonly string[], reserve: boolean, stopped: AbortSignal): void {
  const most = reserve ? limits.relaysMax : limits.bootstrapMax;
  for (const relay of relays.slice(0, most)) void keepRelay(deps, relay, reserve, stopped);
}

/** Rejects never. */
export async function keepRelay(
  { components, clock, logger, dialAddressMs = limits.dialAddressMs, told: tell }: KeeperDeps,
  relay: string,
  reserve: boolean,
  stopped: AbortSignal,
): Promise<void> {
  const places = createReservations(components);
  let pauseMs: number = limits.relayRetryMs;
  let listening = false;
  let told = '';
  while (!stopped.aborted) {
    try {
      const connection = await reach(components, relay, clock.deadline(dialAddressMs, stopped));
      if (reserve) listening = await keepReservation(components, places, relay, connection, listening);
      pauseMs = limits.relayRetryMs;
      tell?.(relay);
      if (told !== 'up') logger.info('relay-reached', { relay });
      told = 'up';
      await clock.sleep(limits.relayCheckMs, stopped).catch(() => undefined);
    } catch (error) {
      const reason = reasonOf(error);
      if (stopped.aborted) return;
      tell?.(relay, reason);
      if (told !== reason) logger.warn('relay-unreachable', { relay, reason });
      told = reason;
      await clock.sleep(pauseMs, stopped).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, limits.relayRetryMsMax);
    }
  }
}

function reach(components: Components, relay: string, signal: AbortSignal): Promise<Connection> {
  return components.connectionManager.openConnection(multiaddr(relay), { signal });
}

/** Listens the first time; later losses are renewed in libp2p's book, to which that listener keeps listening. */
async function keepReservation(
  components: Components,
  places: Reservations,
  relay: string,
  connection: Connection,
  listening: boolean,
): Promise<true> {
  const { remotePeer } = connection;
  if (places.has(remotePeer)) return true;
  places.allow(remotePeer);
  if (!listening) await listenAt(components, `${withPeer(relay, connection)}/p2p-circuit`);
  if (!places.has(remotePeer)) await places.ask(remotePeer);
  if (!places.has(remotePeer)) throw new Error('the relay gave no reservation');
  return true;
}

async function listenAt({ transportManager }: Components, address: string): Promise<void> {
  try {
    await transportManager.listen([multiaddr(address)]);
  } catch (cause) {
    // libp2p speaks of listen addresses first; the relay's own word, such as RESERVATION_REFUSED when it is full, stands further down.
    const word = /reservation failed with status (\w+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
    throw word === undefined ? cause : new Error(`the relay gave no reservation: ${word}`, { cause });
  }
}

function withPeer(relay: string, connection: Connection): string {
  const id = connection.remotePeer.toString();
  return relay.includes(`/p2p/${id}`) ? relay : `${relay}/p2p/${id}`;
}
