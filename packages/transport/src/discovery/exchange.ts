import {
  type Channel,
  type Clock,
  limits as coreLimits,
  type Network,
  PeerAiError,
  type PeerId,
  type Protocol,
  type Random,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { createIntake } from './intake.ts';
import { answerInTime, askForRecords } from './record-channel.ts';
import { type Reachability, safeToDial } from './reachability.ts';
import type { ToldRecord } from './record-book.ts';

/** One question, then signed records of other peers until the end. */
export const exchangeProtocol: Protocol = {
  id: '/peerai/pex/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: coreLimits.recordBytesMax,
  channelsPerPeerMax: 4,
};
const question = wire.message({ count: wire.uint32(1) });

/** How many records are asked for. Throws INVALID_FORMAT, and LIMIT_EXCEEDED from the reader. */
export const readExchangeQuestion = (message: Uint8Array): number => question.decode(message).count;

export interface ExchangeDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly known: () => readonly ToldRecord[];
  /** Takes a record from a neighbour, within its share; true for a new one. */
  readonly learn: (bytes: Uint8Array, source: PeerId) => boolean;
  readonly reachability: Reachability;
  /** Peers with a live link, and the address of each. */
  readonly links: () => ReadonlyMap<PeerId, string>;
}

/** Peers that pass on the signed records of others. */
export interface Exchange {
  /** Asks one peer, dialling it when needed, and tells every record's bytes. Throws what `open` throws; notes whether the peer was there. */
  ask(
    peer: PeerId,
    signal: AbortSignal,
    addresses?: readonly string[],
    found?: (bytes: Uint8Array) => void,
  ): Promise<void>;
  /** Answers questions until the signal. */
  serve(signal: AbortSignal): void;
  /** Asks those it is linked to, and tries those it has heard of while it has few links, until the signal. */
  run(signal: AbortSignal): void;
}

export function createExchange(deps: ExchangeDeps): Exchange {
  const { network, clock, reachability } = deps;
  const answers = createIntake(clock, limits.exchangeAnswersMax);
  const askedMs = new Map<PeerId, number>();
  const dials = createIntake(clock, limits.exchangeDialsMax);
  let asking = 0;

  async function reply(channel: Channel): Promise<void> {
    for await (const message of channel) {
      const { peer } = channel.link;
      if (!answers.take(peer)) return;
      const count = Math.min(readExchangeQuestion(message), limits.recordsPerExchangeMax);
      const others = deps.known().filter(({ record }) => record.peer !== peer && !reachability.isAway(record.peer));
      for (const { bytes } of pick(deps.random, others, count)) await channel.send(bytes);
      return;
    }
  }

  async function ask(...[peer, signal, addresses, found]: Parameters<Exchange['ask']>): Promise<void> {
    askedMs.delete(peer);
    askedMs.set(peer, clock.elapsedMs());
    const [oldest] = askedMs.size > limits.recordsMax ? askedMs.keys() : [];
    if (oldest !== undefined) askedMs.delete(oldest);
    try {
      await askForRecords(network, peer, {
        protocol: exchangeProtocol,
        question: question.encode({ count: limits.recordsPerExchangeMax }),
        recordsMax: limits.recordsPerExchangeMax,
        signal: clock.deadline(limits.exchangeMs, signal),
        addresses,
        found: (bytes) => {
          deps.learn(bytes, peer);
          found?.(bytes);
        },
      });
      reachability.note(peer, true);
    } catch (error) {
      // A peer that refuses is there all the same.
      if (!signal.aborted) reachability.note(peer, !PeerAiError.is(error, 'PEER_UNREACHABLE', 'TIMEOUT'));
      throw error;
    }
  }

  const askQuietly = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    asking += 1;
    await ask(peer, signal).catch(() => undefined);
    asking -= 1;
  };
  const isDue = (peer: PeerId): boolean =>
    clock.elapsedMs() - (askedMs.get(peer) ?? Number.NEGATIVE_INFINITY) >= limits.exchangeAgainMs;

  /** Linked peers first; then one that was heard of, as long as there are few links and the minute's dials are not spent. */
  function next(): PeerId | undefined {
    const links = deps.links();
    const linked = [...links.keys()].find(isDue);
    if (linked !== undefined || links.size >= limits.exchangeLinksWanted) return linked;
    const strangers = deps.known().filter(({ record: { peer, addresses }, source }) => {
      const isNew = peer !== network.self && !links.has(peer) && isDue(peer) && !reachability.isAway(peer);
      return isNew && safeToDial(addresses, links.get(source));
    });
    const [one] = pick(deps.random, strangers, 1);
    return one !== undefined && dials.take(network.self) ? one.record.peer : undefined;
  }

  return {
    ask,
    serve(signal) {
      const serving = network.answer(exchangeProtocol, (channel) => answerInTime(clock, channel, reply));
      signal.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
    },
    run(signal) {
      void (async () => {
        while (!signal.aborted) {
          while (asking < limits.exchangeQuestionsAtOnce) {
            const peer = next();
            if (peer === undefined) break;
            void askQuietly(peer, signal);
          }
          await clock.sleep(limits.exchangeLookMs, signal).catch(() => undefined);
        }
      })();
    },
  };
}

/** So many of them, by chance: nobody's answer shows the order in which it heard of peers. */
function pick<T>(random: Random, all: readonly T[], count: number): T[] {
  const left = [...all];
  const picked: T[] = [];
  while (picked.length < count && left.length > 0) {
    const bytes = random.bytes(4);
    const at = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % left.length;
    picked.push(...left.splice(at, 1));
  }
  return picked;
}
