import {
  type Clock,
  createTokenBucket,
  type Opened,
  PeerAiError,
  type PeerId,
  type Random,
  type TokenBucket,
  toHex,
} from '@peerai/core-protocol';
import { type PcpPayload, readPcpPayload } from '@peerai/core-protocol/pcp';
import type { PeerMessenger } from '@peerai/messaging';
import type { KnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import type { Capabilities } from './status-protocol.ts';

type Said = PcpPayload<'capability_response'>['capabilities'];

export interface CapabilityLettersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly messenger: PeerMessenger;
  readonly known: KnownPeers;
  readonly say: (peer: PeerId) => Promise<Capabilities>;
  /** A peer said what it can do, asked or not: it speaks of itself alone. */
  readonly told: (peer: PeerId, said: Capabilities) => void;
}
/** `capability_query` and `capability_response` as letters: for older peers, and for devices that no live link reaches. */
export interface CapabilityLetters {
  /** Resolves when `told` was called. Throws PEER_UNREACHABLE (no address), TIMEOUT, REFUSED and other codes of a refusal, what the messenger throws. */
  ask(peer: PeerId, signal: AbortSignal): Promise<void>;
  /** A query that came by HTTP and was answered there: the signed answer as a message of its own, where it can be sent, and not too often. */
  answered(peer: PeerId, queryId: string | undefined, said: Capabilities): Promise<void>;
  start(): void;
  stop(): void;
}

export function createCapabilityLetters(deps: CapabilityLettersDeps): CapabilityLetters {
  const { clock, messenger, known } = deps;
  const waiting = new Map<PeerId, Set<() => void>>();
  const buckets = new Map<PeerId, TokenBucket>();
  let handling: Disposable[] = [];
  const mayAnswer = (peer: PeerId): boolean => {
    const size = { burst: limits.capabilityAnswersPerMinute, perMinute: limits.capabilityAnswersPerMinute };
    const bucket = buckets.get(peer) ?? createTokenBucket(clock, size);
    if (!buckets.has(peer)) for (const one of buckets.keys()) if (known.get(one) === undefined) buckets.delete(one);
    buckets.set(peer, bucket);
    return bucket.take() === 0;
  };
  const reply = async (to: PeerId, queryId: string | undefined, capabilities: Capabilities): Promise<void> => {
    const payload = { capabilities, ...(queryId === undefined ? {} : { query_id: queryId }) };
    const expiresMs = clock.nowMs() + limits.capabilityLetterMs;
    await messenger.send({ to, kind: 'capability_response', payload, expiresMs, priority: 'low' });
  };
  const queried = async ({ sender, payload }: Opened): Promise<readonly []> => {
    const peer = known.get(sender);
    if (peer === undefined || peer.blocked)
      throw new PeerAiError('REFUSED', 'only known peers are told what this one can');
    const { query_id: queryId } = read('capability_query', payload);
    if (!mayAnswer(sender)) throw new PeerAiError('REFUSED', 'asked too often');
    await reply(sender, queryId, await deps.say(sender));
    return [];
  };
  const told = async ({ sender, payload }: Opened): Promise<readonly []> => {
    if (known.get(sender) === undefined) throw new PeerAiError('REFUSED', 'nobody here knows this peer');
    deps.told(sender, capabilitiesOf(read('capability_response', payload).capabilities));
    for (const resolve of waiting.get(sender) ?? []) resolve();
    return [];
  };
  return {
    async ask(to, signal) {
      if (known.get(to)?.isReachable !== true)
        throw new PeerAiError('PEER_UNREACHABLE', 'there is no address to ask this peer at');
      const limit = clock.deadline(limits.capabilityLetterMs, signal);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const asked = waiting.get(to) ?? new Set();
      waiting.set(to, asked.add(resolve));
      const ended = new Map<string, string>();
      let id = '';
      const refuse = (): void => {
        const code = ended.get(id);
        if (code !== undefined) reject(new PeerAiError(code, `the peer did not take the question: ${code}`));
      };
      const listening = messenger.deliveries((report) => {
        if (report.state === 'refused') ended.set(report.id, report.code ?? 'REFUSED');
        refuse();
      });
      const late = (): void =>
        reject(new PeerAiError('TIMEOUT', 'the peer has not said what it can do; older ones may not answer at all'));
      limit.addEventListener('abort', late, { once: true });
      try {
        const payload = { query_id: toHex(deps.random.bytes(16)) };
        const expiresMs = clock.nowMs() + limits.capabilityLetterMs;
        id = await messenger.send({ to, kind: 'capability_query', payload, expiresMs });
        refuse();
        if (limit.aborted) late();
        await promise;
      } finally {
        limit.removeEventListener('abort', late);
        listening[Symbol.dispose]();
        asked.delete(resolve);
        if (asked.size === 0) waiting.delete(to);
      }
    },
    async answered(peer, queryId, said) {
      if (known.get(peer)?.isReachable === true && mayAnswer(peer)) await reply(peer, queryId, said);
    },
    start() {
      if (handling.length > 0) return;
      handling = [messenger.handle('capability_query', queried), messenger.handle('capability_response', told)];
    },
    stop() {
      for (const one of handling.splice(0)) one[Symbol.dispose]();
    },
  };
}

/** Throws INVALID_FORMAT, also for a field that is not there: no later attempt gets past it. */
function read<K extends 'capability_query' | 'capability_response'>(kind: K, payload: unknown): PcpPayload<K> {
  try {
    return readPcpPayload(kind, payload).payload as PcpPayload<K>;
  } catch (cause) {
    if (!PeerAiError.is(cause, 'MISSING_FIELDS')) throw cause;
    throw new PeerAiError('INVALID_FORMAT', cause.message, cause.details, { cause });
  }
}

/** What an older peer leaves out is unknown, not refused. */
function capabilitiesOf(said: Said): Capabilities {
  const features = Object.entries(said.crypto_features ?? {}).slice(0, limits.capabilityEntriesMax);
  return {
    protocol_version: said.protocol_version ?? '',
    protocol_versions: said.protocol_versions ?? [],
    supported_msg_types: said.supported_msg_types ?? [],
    crypto_features: Object.fromEntries(
      features.map(([name, on]) => [name.slice(0, limits.capabilityCharsMax), on === true]),
    ),
    endpoints: said.endpoints ?? [],
    entity_id: said.entity_id ?? '',
    agent: said.agent ?? '',
    models: said.models ?? [],
    task_types: said.task_types ?? [],
    nn_operators: said.nn_operators ?? [],
    ...(said.region === undefined ? {} : { region: said.region }),
  };
}
