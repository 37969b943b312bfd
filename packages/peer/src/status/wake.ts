import {
  type Clock,
  type LanguageModel,
  type Logger,
  type Opened,
  PeerAiError,
  type PeerId,
  type Random,
  toHex,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import type { KnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import type { WakeView } from './status.schema.ts';

export interface WakeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly messenger: PeerMessenger;
  /** Devices, and older peers. */
  readonly known: KnownPeers;
  /** Our own model of this name that paired devices may use, or the default one. */
  readonly model: (name: string | undefined, signal: AbortSignal) => Promise<LanguageModel | undefined>;
  /** A peer was woken by this one: what it can do is worth asking. */
  readonly woken: (peer: PeerId) => void;
}
/** Tells a device that it will be needed: it loads its model before it answers. */
export interface Wake {
  /** Waits for the answer as long as the signal allows; then `queued`. Throws DEVICE_UNKNOWN, REFUSED, PEER_UNREACHABLE (an older peer without an address), what the messenger throws. */
  wake(to: string, wish: { readonly model?: string; readonly reason?: string }, signal: AbortSignal): Promise<WakeView>;
  start(): void;
  stop(): void;
}

type Status = Exclude<WakeView['status'], 'queued' | 'refused'>;
interface Ack {
  readonly id: string;
  readonly status: Status;
  readonly reason: string;
}

export function createWake(deps: WakeDeps): Wake {
  const { clock, known, messenger } = deps;
  /** Who waits for which answer; an answer that nobody waits for any more changes nothing. */
  const waiting = new Map<string, { readonly peer: PeerId; readonly answer: (ack: Ack) => void }>();
  const calls = new Map<PeerId, number[]>();
  let handling: Disposable[] = [];

  /** True when this peer has called more often than its limit within the last minute. */
  const tooOften = (peer: PeerId): boolean => {
    const nowMs = clock.elapsedMs();
    const recent = (calls.get(peer) ?? []).filter((atMs) => nowMs - atMs < limits.wakeWindowMs);
    const full = recent.length >= limits.wakesPerWindowMax;
    calls.set(peer, full ? recent : [...recent, nowMs]);
    return full;
  };
  const load = async (name: string | undefined, signal: AbortSignal): Promise<{ status: Status; reason: string }> => {
    try {
      const limit = clock.deadline(limits.wakeLoadMsMax, signal);
      const model = await deps.model(name, limit);
      if (model === undefined) return { status: 'failed', reason: 'no such model is offered here' };
      if (model.card.loaded) return { status: 'already_awake', reason: model.card.name };
      await model.warm?.(limit);
      return { status: 'success', reason: model.card.name };
    } catch (error) {
      return { status: 'failed', reason: PeerAiError.is(error) ? error.code : 'the model could not be loaded' };
    }
  };
  const called = async (message: Opened, signal: AbortSignal): Promise<readonly []> => {
    const caller = known.get(message.sender);
    if (caller === undefined || caller.blocked || !caller.allow.some((use) => use === 'chat' || use === 'tasks'))
      throw new PeerAiError('REFUSED', 'this peer may not wake this one');
    const call = readCall(message.payload);
    const outcome = tooOften(message.sender)
      ? { status: 'rate_limited' as const, reason: `at most ${limits.wakesPerWindowMax} a minute` }
      : await load(call.model, signal);
    const payload = {
      acknowledged: outcome.status === 'success' || outcome.status === 'already_awake',
      // Older peers leave it out, and look for none.
      ...(call.id === '' ? {} : { wake_up_id: call.id }),
      ...outcome,
      timestamp: new Date(clock.nowMs()).toISOString(),
    };
    // Before the mark: what is killed in between answers twice, which changes nothing.
    if (caller.isReachable) await messenger.send({ to: message.sender, kind: 'wake_up_ack', payload });
    if (outcome.status !== 'rate_limited') deps.woken(message.sender);
    return [];
  };
  const firstOf = (sender: PeerId) => [...waiting.values()].find(({ peer }) => peer === sender);
  const answered = async (message: Opened): Promise<readonly []> => {
    const ack = readAck(message.payload);
    const waiter = waiting.get(ack.id) ?? (ack.id === '' ? firstOf(message.sender) : undefined);
    if (waiter?.peer === message.sender) waiter.answer(ack);
    return [];
  };
  return {
    async wake(to, { model, reason = '' }, signal) {
      const { peer, name, blocked, isReachable } = known.find(to);
      if (blocked) throw new PeerAiError('REFUSED', `${name} is blocked here`);
      if (!isReachable) throw new PeerAiError('PEER_UNREACHABLE', `there is no address to send to ${name}`);
      if (waiting.size >= limits.wakesWaitingMax)
        throw new PeerAiError('LIMIT_REACHED', `${waiting.size} answers are waited for already`);
      const id = toHex(deps.random.bytes(16));
      const { promise, resolve } = Promise.withResolvers<WakeView>();
      const { status: queued, reason: none } = { status: 'queued' as const, reason: 'no answer yet' };
      waiting.set(id, { peer, answer: ({ status, reason: why }) => resolve({ v: 1, id, status, reason: why }) });
      const letters = new Set<string>();
      let letter = '';
      const listening = messenger.deliveries((report) => {
        if (report.state === 'refused') letters.add(report.id);
        if (letters.has(letter)) resolve({ v: 1, id, status: 'refused', reason: report.code ?? 'REFUSED' });
      });
      signal.addEventListener('abort', () => resolve({ v: 1, id, status: queued, reason: none }), { once: true });
      try {
        const timestamp = new Date(clock.nowMs()).toISOString();
        const wish = model === undefined ? {} : { model };
        letter = await messenger.send({
          to: peer,
          kind: 'wake_up',
          payload: { wake_up_id: id, reason, timestamp, ...wish },
        });
        if (letters.has(letter)) resolve({ v: 1, id, status: 'refused', reason: 'REFUSED' });
        if (signal.aborted) resolve({ v: 1, id, status: queued, reason: none });
        return await promise;
      } finally {
        waiting.delete(id);
        listening[Symbol.dispose]();
      }
    },
    start() {
      if (handling.length === 0)
        handling = [messenger.handle('wake_up', called), messenger.handle('wake_up_ack', answered)];
    },
    stop() {
      for (const one of handling.splice(0)) one[Symbol.dispose]();
    },
  };
}

function readCall(payload: unknown): { readonly id: string; readonly model: string | undefined } {
  const { wake_up_id: id, model } = recordOf(payload);
  if (model !== undefined && typeof model !== 'string') throw new PeerAiError('INVALID_FORMAT', 'model is a name');
  return {
    id: typeof id === 'string' ? id.slice(0, limits.wakeIdCharsMax) : '',
    model: model?.slice(0, limits.capabilityCharsMax),
  };
}

const statuses: readonly string[] = ['success', 'already_awake', 'failed', 'rate_limited'];
function readAck(payload: unknown): Ack {
  const { wake_up_id: id, status, acknowledged, reason } = recordOf(payload);
  const said = typeof status === 'string' && statuses.includes(status) ? (status as Status) : undefined;
  return {
    id: typeof id === 'string' ? id : '',
    status: said ?? (acknowledged === true ? 'success' : 'failed'),
    reason: typeof reason === 'string' ? reason.slice(0, limits.wakeReasonCharsMax) : '',
  };
}

function recordOf(payload: unknown): Readonly<Record<string, unknown>> {
  if (typeof payload === 'object' && payload !== null) return payload as Record<string, unknown>;
  throw new PeerAiError('INVALID_FORMAT', 'a wake-up is a JSON object');
}
