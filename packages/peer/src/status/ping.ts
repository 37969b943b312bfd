import {
  callMethod,
  equalBytes,
  type Network,
  PeerAiError,
  type Random,
  type Clock,
  serveMethod,
} from '@peerai/core-protocol';
import type { LinkBook } from '../links/link-book.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PingView } from '../pairing/pairing.schema.ts';
import { pingMethod } from './status-protocol.ts';

export interface PingDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly devices: Devices;
  readonly links: Pick<LinkBook, 'get'>;
}

/** Round trip of a nonce over the best path there is. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE, INVALID_FORMAT when another nonce comes back. */
export async function pingDevice(deps: PingDeps, text: string, signal: AbortSignal): Promise<PingView> {
  const { peer, addresses } = deps.devices.find(text);
  const nonce = deps.random.bytes(limits.pingNonceBytes);
  const startedMs = deps.clock.elapsedMs();
  const answer = await callMethod(deps, peer, pingMethod, { nonce }, { signal, addresses });
  if (!equalBytes(answer.nonce, nonce)) throw new PeerAiError('INVALID_FORMAT', 'another nonce came back');
  const roundTripMs = deps.clock.elapsedMs() - startedMs;
  return { v: 1, roundTripMs, path: deps.links.get(peer)?.path ?? 'direct' };
}

/** Sends each nonce back. Refuses longer ones with LIMIT_EXCEEDED. */
export function servePing({ network, clock }: Pick<PingDeps, 'network' | 'clock'>): Disposable {
  return serveMethod(
    network,
    pingMethod,
    async ({ nonce }) => {
      if (nonce.length > limits.pingNonceBytes)
        throw new PeerAiError('LIMIT_EXCEEDED', `a nonce has at most ${limits.pingNonceBytes} bytes`);
      return { nonce };
    },
    { clock },
  );
}
