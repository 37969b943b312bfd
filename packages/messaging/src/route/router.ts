import {
  callMethod,
  type Clock,
  concatBytes,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  parsePeerId,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  toHex,
} from '@peerai/core-protocol';
import type { Records } from '../mailbox/records.ts';
import type { PeerMessenger } from '../messenger.ts';
import type { Carrier } from '../outbox/courier.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import type { OutRow } from '../rows.ts';
import { readContent, writeLetter, writeReceipt } from '../sealed/form.ts';
import type { Keyring } from '../sealed/keyring.ts';
import { openSealed, pad, sealTo, unpad } from '../sealed/seal.ts';
import { routeLimits } from './limits.ts';
import { createPaths, type Path, type Paths } from './paths.ts';
import {
  layerCodec,
  type Packet,
  type PathsAnswer,
  pathsMethod,
  recordBytesPerAnswerMax,
  routeMethod,
} from './protocol.ts';
import { createQuota } from './quota.ts';

export interface RouterDeps {
  readonly network: Network;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Those of the mailbox. */
  readonly records: Records;
  readonly keyring: Keyring;
  /** Peers that letters are taken from, and that others are told of. */
  readonly isFriend: (peer: PeerId) => boolean;
  /** Peers that letters are forwarded for. */
  readonly mayRoute: (peer: PeerId) => boolean;
}
/** Letters through peers that forward them, sealed for the last one. */
export interface Router {
  /** For the messenger that is made with it. */
  readonly carrier: Carrier;
  readonly paths: Pick<Paths, 'to' | 'best'>;
  /** Answers, forwards, and asks neighbours for their paths until the signal fires. Safe to call twice. */
  start(messenger: Pick<PeerMessenger, 'receive'>, signal: AbortSignal): void;
}

/** The answer's key is used once: no nonce is needed. */
const nonce = new Uint8Array(12);
const none = new Uint8Array();

/**
 * A carrier over up to five links. A hop learns the peer before it, the peer behind it, the size class and how many hops are left, nothing else.
 * Refusals: ROUTE_REFUSED (no right to it), ROUTE_TOO_LONG, ROUTE_LOOP (seen before), LIMIT_REACHED, RATE_LIMITED, PEER_UNREACHABLE.
 */
export function createRouter(deps: RouterDeps): Router {
  const { network, clock, identity } = deps;
  const paths = createPaths(identity.peer, clock);
  const linked = new Map<PeerId, number>();
  let isStarted = false;
  const ask = async (neighbour: PeerId, signal: AbortSignal): Promise<void> => {
    try {
      const answer = await callMethod(deps, neighbour, pathsMethod, {}, { signal });
      const offers = await readOffers(deps, answer);
      if (linked.has(neighbour)) paths.learn(neighbour, linked.get(neighbour) ?? 0, offers);
    } catch (error) {
      paths.forget(neighbour);
      deps.logger.debug('paths-not-told', { peer: neighbour, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  return {
    paths,
    carrier: {
      path: 'route',
      reach: (to) => (linked.has(to) || paths.to(to).length === 0 ? undefined : 'also'),
      carry: async (to, letter, signal) => {
        let failure: unknown = new PeerAiError('PEER_UNREACHABLE', 'no path leads to this peer');
        for (const path of paths.to(to).slice(0, routeLimits.pathsTriedMax)) {
          const startMs = clock.elapsedMs();
          try {
            const answer = await send(deps, path, to, letter, signal);
            paths.measure(path, clock.elapsedMs() - startMs);
            return answer;
          } catch (error) {
            signal.throwIfAborted();
            paths.measure(path, undefined);
            failure = error;
          }
        }
        throw failure;
      },
    },
    start: (messenger, signal) => {
      if (isStarted) return;
      isStarted = true;
      const serving = [
        serveMethod(network, routeMethod, createHop(deps, messenger, signal), { clock }),
        serveMethod(network, pathsMethod, async (_, { peer }) => tell(deps, peer, linked, paths), { clock }),
      ];
      const end = (): void => serving.forEach((one) => one[Symbol.dispose]());
      signal.addEventListener('abort', end, { once: true });
      const watch = async (): Promise<void> => {
        for await (const { peer, state, roundTripMs } of network.links(signal)) {
          const isNew = !linked.has(peer);
          if (state === 'down') {
            linked.delete(peer);
            paths.forget(peer);
          } else linked.set(peer, roundTripMs);
          if (state === 'up' && isNew && deps.isFriend(peer)) void ask(peer, signal);
        }
      };
      const askAll = async (): Promise<void> => {
        while (!signal.aborted) {
          await clock.sleep(routeLimits.askEveryMs, signal).catch(() => undefined);
          const friends = [...linked.keys()].filter((peer) => deps.isFriend(peer));
          if (!signal.aborted) await Promise.all(friends.map((peer) => ask(peer, signal)));
        }
      };
      void watch().catch(() => undefined);
      void askAll();
    },
  };
}

/** The letter in one seal for the last peer, and one more for each before it. Throws PEER_UNREACHABLE, what hops answer, DECRYPTION_FAILED. */
async function send(
  deps: RouterDeps,
  path: Path,
  to: PeerId,
  letter: OutRow,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  const { crypto, random, identity, records } = deps;
  const answerKey = random.bytes(32);
  const content = pad(writeLetter(identity, to, letter, undefined));
  let layer = layerCodec.encode({ next: undefined, answerKey, inner: content });
  for (const [place, peer] of [...path.peers.entries()].toReversed()) {
    const key = records.get(peer)?.letterKey;
    if (key === undefined) throw new PeerAiError('PEER_UNREACHABLE', 'a peer of the path has no key');
    const inner = await sealTo(deps, key, layer, 'hop');
    layer = place === 0 ? inner : layerCodec.encode({ next: peer, answerKey: undefined, inner });
  }
  const [first = to] = path.peers;
  const packet: Packet = { hopsLeft: path.peers.length - 1, timeMs: routeLimits.timeMsMax, layer };
  const { answer } = await callMethod(deps, first, routeMethod, packet, { signal });
  const opened = unpad(crypto.aead['chacha20-poly1305'].open(answerKey, nonce, answer, none));
  const receipt = readContent({ crypto, clock: deps.clock, self: identity.peer }, opened);
  if (receipt.type !== 'receipt' || receipt.from !== to || receipt.id !== letter.id) {
    throw new PeerAiError('INVALID_FORMAT', 'this answer is for another letter');
  }
  return { outcome: receipt.outcome, code: receipt.code };
}

type HopContext = { readonly peer: PeerId; readonly signal: AbortSignal };

function createHop(deps: RouterDeps, messenger: Pick<PeerMessenger, 'receive'>, ending: AbortSignal) {
  const { clock, crypto, identity, keyring, network } = deps;
  const quota = createQuota(clock);
  const seen = new Set<string>();
  const remember = (layer: Uint8Array): void => {
    const name = toHex(crypto.sha256(layer).subarray(0, 16));
    if (seen.has(name)) throw new PeerAiError('ROUTE_LOOP', 'this letter has been here before');
    seen.add(name);
    const [oldest] = seen.size > routeLimits.seenMax ? seen : [];
    if (oldest !== undefined) seen.delete(oldest);
  };
  const arrive = async (inner: Uint8Array, answerKey: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    const content = readContent({ crypto, clock, self: identity.peer }, unpad(inner));
    if (content.type !== 'letter' || !deps.isFriend(content.letter.sender)) {
      throw new PeerAiError('REFUSED', 'only peers the owner allowed send letters here');
    }
    const { sender, id } = content.letter;
    const { outcome, code } = await messenger.receive(content.letter, signal);
    const receipt = writeReceipt(identity, sender, { id, outcome, code });
    return crypto.aead['chacha20-poly1305'].seal(answerKey, nonce, pad(receipt), none);
  };
  return async ({ hopsLeft, timeMs, layer }: Packet, { peer, signal: asking }: HopContext) => {
    if (hopsLeft >= routeLimits.hopsMax)
      throw new PeerAiError('ROUTE_TOO_LONG', `at most ${routeLimits.hopsMax} links`);
    using turn = quota(peer, layer.length);
    void turn;
    remember(layer);
    const opened = layerCodec.decode(await openSealed(deps, keyring.all(), layer, 'hop'));
    const boundMs = Math.min(timeMs, routeLimits.timeMsMax) - routeLimits.timeMsPerHop;
    if (boundMs <= 0) throw new PeerAiError('TIMEOUT', 'no time is left for this letter');
    const signal = clock.deadline(boundMs, AbortSignal.any([asking, ending]));
    const { next, answerKey, inner } = opened;
    if (next === undefined) {
      if (answerKey?.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'no key for the answer');
      return { answer: await arrive(inner, answerKey, signal) };
    }
    if (hopsLeft === 0) throw new PeerAiError('ROUTE_TOO_LONG', 'no links are left for this letter');
    const to = parsePeerId(next);
    if (!deps.mayRoute(peer) || !deps.isFriend(to))
      throw new PeerAiError('ROUTE_REFUSED', 'this is not forwarded here');
    if (to === peer || to === network.self) throw new PeerAiError('ROUTE_LOOP', 'a letter does not turn back');
    return callMethod(deps, to, routeMethod, { hopsLeft: hopsLeft - 1, timeMs: boundMs, layer: inner }, { signal });
  };
}

/** Friends that are linked, and whom they lead to: for a peer that may use them, without the ways through that peer. */
function tell(
  { records, isFriend, mayRoute }: RouterDeps,
  peer: PeerId,
  linked: ReadonlyMap<PeerId, number>,
  paths: Paths,
): PathsAnswer {
  if (!mayRoute(peer)) throw new PeerAiError('ROUTE_REFUSED', 'nothing is forwarded for this peer');
  const direct = [...linked]
    .filter(([one]) => isFriend(one))
    .map(([one, costMs]) => ({ peers: [one], costMs: Math.round(costMs) }));
  const told: PathsAnswer['paths'][number][] = [];
  let bytes = 0;
  for (const { peers, costMs } of [...direct, ...paths.best()]) {
    if (peers.includes(peer) || peers.length >= routeLimits.hopsMax) continue;
    if (told.length >= routeLimits.pathsPerAnswerMax) break;
    const sealed = peers.map((one) => records.sealed(one)).filter((one) => one !== undefined);
    const more = concatBytes(...sealed).length;
    // A path that is not told takes no room from those behind it.
    if (sealed.length < peers.length || bytes + more > recordBytesPerAnswerMax) continue;
    bytes += more;
    told.push({ peers, costMs, records: sealed });
  }
  return { paths: told };
}

/** A neighbour's offers whose records are those of their peers; the records are kept. */
async function readOffers({ records }: RouterDeps, { paths }: PathsAnswer): Promise<readonly Path[]> {
  const offers: Path[] = [];
  for (const { peers, costMs, records: sealed } of paths) {
    try {
      const owners = await Promise.all(sealed.map(async (one) => (await records.learn(one)).peer));
      if (owners.length === peers.length && owners.every((owner, place) => owner === peers[place])) {
        offers.push({ peers: owners, costMs });
      }
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
  return offers;
}
