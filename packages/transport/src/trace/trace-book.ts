import {
  type Clock,
  type ConnectionTrace,
  type Network,
  PeerAiError,
  type PeerId,
  type StepTrace,
} from '@peerai/core-protocol';
import { reasonOf } from '../errors.ts';
import type { Attempt } from '../network/dialer.ts';
import { isOwnLimit, reservationFault, stepOf } from './classify.ts';
import { limits } from './limits.ts';

/** The last failed attempt at each peer and each relay, in memory; the oldest are forgotten. */
export interface TraceBook {
  last(peer: PeerId): ConnectionTrace | undefined;
  relay(address: string): StepTrace | undefined;
  /** Writes down what `open` of this network comes to. */
  over(network: Network): Network;
  /** What asking a relay came to: `undefined` when all is well. */
  relayTold(address: string, reason?: string): void;
}

export function createTraceBook(clock: Clock): TraceBook {
  const peers = new Map<PeerId, ConnectionTrace>();
  const relays = new Map<string, StepTrace>();
  const failed = (peer: PeerId, error: unknown): void => {
    // What took too long says less than what failed before.
    if (PeerAiError.is(error, 'TIMEOUT') && peers.has(peer)) return;
    const steps = stepsOf(error);
    if (steps.length > 0) remember(peers, peer, { peer, atMs: clock.nowMs(), steps });
  };
  return {
    last: (peer) => peers.get(peer),
    relay: (address) => relays.get(address),
    over: (network) => ({
      ...network,
      async open(peer, protocol, options) {
        try {
          const channel = await network.open(peer, protocol, options);
          peers.delete(peer);
          return channel;
        } catch (error) {
          failed(peer, error);
          throw error;
        }
      },
    }),
    relayTold(address, reason) {
      if (reason === undefined) relays.delete(address);
      else remember(relays, address, reservationFault(address, reason));
    },
  };
}

function remember<K, V>(book: Map<K, V>, key: K, value: V): void {
  book.delete(key);
  book.set(key, value);
  const [oldest] = book.keys();
  if (book.size > limits.tracesMax && oldest !== undefined) book.delete(oldest);
}

/** The steps an error of `open` tells; none for one that says nothing about the way, such as the caller's own end. */
export function stepsOf(error: unknown): readonly StepTrace[] {
  if (!PeerAiError.is(error) || error.code === 'ABORTED') return [];
  const cause = reasonOf(error);
  const attempts = (error.details['attempts'] ?? []) as readonly Attempt[];
  const steps = attempts.slice(-limits.traceStepsMax).map(stepOf);
  const whole = (step: StepTrace['step'], code: StepTrace['code']): readonly StepTrace[] => [
    ...steps.slice(1 - limits.traceStepsMax),
    { step, code, address: '', cause },
  ];
  if (error.code === 'PRIVATE_NETWORK') return whole('membership', 'PRIVATE_NETWORK');
  if (error.code === 'POST_QUANTUM_REQUIRED') return whole('protocol', 'POST_QUANTUM_REQUIRED');
  if (error.code === 'LIMIT_REACHED')
    return isOwnLimit(error.message) ? whole('dial', 'FULL_HERE') : whole('protocol', 'FULL_THERE');
  if (error.code === 'REFUSED') {
    if (error.details['reason'] === 'unsupported') return whole('protocol', 'PROTOCOL_UNKNOWN');
    return error.message.endsWith('blocked here') ? whole('dial', 'BLOCKED_HERE') : whole('protocol', 'REFUSED');
  }
  if (error.code === 'TIMEOUT') return whole('dial', 'NO_ANSWER');
  if (error.code !== 'PEER_UNREACHABLE') return [];
  return steps.length > 0 ? steps : whole('resolve', 'NO_ADDRESS');
}
