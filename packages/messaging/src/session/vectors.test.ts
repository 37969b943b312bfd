import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIdentity, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createBuckets } from '../http/buckets.ts';
import { createCounts } from '../http/counts.ts';
import { createSessionDialer } from './dialer.ts';
import { createSessionDoor } from './door.ts';

/** SESSION_HTTP_VECTORS=write writes the file again, after the protocol was changed on purpose. */
const file = join(import.meta.dirname, '../../../../docs/protocol/vectors/session-http.json');
const never = new AbortController().signal;

/** A letter over a session in three steps, from fixed seeds: every body and every answer. */
async function run() {
  const clock = new ManualClock();
  clock.jump(Date.parse('2026-02-01T12:00:00Z') - clock.nowMs());
  const seeds = { initiator: new Uint8Array(32).fill(7), responder: new Uint8Array(32).fill(8) };
  const entropy = { initiator: seededRandom(7).bytes(144), responder: seededRandom(8).bytes(144) };
  const identity = createIdentity(nodeCrypto, seeds.responder);
  const from = (bytes: Uint8Array) => ({ bytes: () => bytes.slice() });
  const door = createSessionDoor({
    identity,
    crypto: nodeCrypto,
    random: from(entropy.responder),
    clock,
    buckets: createBuckets(clock),
    counts: createCounts(clock),
    admit: () => undefined,
    receive: async () => ({ outcome: 'taken', code: undefined, isRepeated: false }),
  });
  const dialer = createSessionDialer({
    identity: createIdentity(nodeCrypto, seeds.initiator),
    crypto: nodeCrypto,
    random: from(entropy.initiator),
    clock,
  });
  const nowMs = clock.nowMs();
  const letter = {
    id: 'ab'.repeat(16),
    kind: 'text',
    content: '"hello"',
    sentMs: nowMs,
    expiresMs: nowMs + 259_200_000,
  };
  const steps: object[] = [];
  const answer = await dialer.carry(
    identity.peer,
    letter,
    async (body, signal) => {
      const reply = await door.take(body, signal);
      if (!(reply instanceof Uint8Array)) throw new Error('refused');
      steps.push({ body_hex: toHex(body), answer_hex: toHex(reply) });
      return { status: 200, body: reply };
    },
    never,
  );
  return {
    now: new Date(nowMs).toISOString(),
    seed_hex: { initiator: toHex(seeds.initiator), responder: toHex(seeds.responder) },
    entropy_hex: { initiator: toHex(entropy.initiator), responder: toHex(entropy.responder) },
    letter,
    answer,
    steps,
  };
}

test('session-http.json is what this program makes', async () => {
  const made = JSON.parse(JSON.stringify(await run())) as unknown;
  if (process.env['SESSION_HTTP_VECTORS'] === 'write') {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
  }
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(made);
});
