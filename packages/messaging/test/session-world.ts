import { createIdentity, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { createBuckets } from '../src/http/buckets.ts';
import { createCounts } from '../src/http/counts.ts';
import type { Letter } from '../src/letter.ts';
import { createSessionDialer, type SessionAsk } from '../src/session/dialer.ts';
import { createSessionDoor } from '../src/session/door.ts';
import type { SessionRoomOptions } from '../src/session/parts.ts';

/** Peers that ask and are asked for sessions, and the web between them. */
export const never = new AbortController().signal;
const letter = { id: 'ab'.repeat(16), kind: 'text', content: '"a secret"', sentMs: 0, expiresMs: 0 };
let seeds = 0;
const random = () => seededRandom((seeds += 1));

/** A peer that is asked. */
export function asked(clock: ManualClock, options: SessionRoomOptions = {}) {
  const identity = createIdentity(nodeCrypto, random().bytes(32));
  const seen: Letter[] = [];
  const state = { refuses: undefined as Error | undefined, fails: undefined as Error | undefined };
  const deps = {
    identity,
    crypto: nodeCrypto,
    random: random(),
    clock,
    buckets: createBuckets(clock),
    counts: createCounts(clock),
    admit: () => {
      if (state.refuses !== undefined) throw state.refuses;
    },
    receive: async (one: Letter) => {
      if (state.fails !== undefined) throw state.fails;
      const isRepeated = seen.some(({ id }) => id === one.id);
      if (!isRepeated) seen.push(one);
      return { outcome: 'taken' as const, code: undefined, isRepeated };
    },
  };
  return {
    identity,
    seen,
    state,
    door: createSessionDoor(deps, options),
    again: () => createSessionDoor(deps, options),
  };
}
/** A peer that asks, and what it posted; `tamper` stands on the way. */
export function asking(clock: ManualClock, options: SessionRoomOptions = {}) {
  const identity = createIdentity(nodeCrypto, random().bytes(32));
  const dialer = createSessionDialer({ identity, crypto: nodeCrypto, random: random(), clock }, options);
  return { identity, dialer };
}
/** The web between a dialer and a door. */
export function wire(door: { readonly take: ReturnType<typeof asked>['door']['take'] }) {
  const sent: Uint8Array[] = [];
  const ask: SessionAsk = async (body, signal) => {
    sent.push(body);
    const reply = await door.take(body, signal);
    if (reply instanceof Uint8Array) return { status: 200, body: reply };
    return { status: reply.status, body: utf8(JSON.stringify(reply.body)) };
  };
  return { sent, ask };
}
export function pair(options: SessionRoomOptions = {}) {
  const clock = new ManualClock();
  const there = asked(clock, options);
  const here = asking(clock, options);
  const row = { ...letter, sentMs: clock.nowMs(), expiresMs: clock.nowMs() + 10_000_000 };
  return { clock, there, here, row, to: there.identity.peer, ...wire(there.door) };
}
export const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error as { readonly code?: string }).code ?? String(error),
  );
export const said = (reply: unknown) =>
  (reply as { readonly body?: { readonly error?: { readonly code: string; readonly details?: object } } }).body?.error;
