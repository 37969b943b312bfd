import { createIdentity, type Directory, nobleCrypto, type PeerId, signRecord } from '@peerai/core-protocol';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { discoverIn } from './discover.ts';

const clock = new ManualClock();
const random = seededRandom(4);
const never = new AbortController().signal;

function someone(): { peer: PeerId; bytes: Uint8Array } {
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const body = { addresses: [], name: '', sequence: 1, expiresMs: clock.nowMs() + 60_000, models: ['m'], agent: '' };
  return { peer: identity.peer, bytes: signRecord(identity, body) };
}

test('others are told the records found of what they ask for; without a name our own; never of who is blocked', async () => {
  const [good, blocked] = [someone(), someone()];
  const forged = someone().bytes.map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte));
  const asked: string[] = [];
  const directory: Directory = {
    announce: async () => undefined,
    async *find(what) {
      asked.push(what);
      yield* [blocked.bytes, forged, good.bytes];
    },
  };
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const devices = { isBlocked: (peer: PeerId) => peer === blocked.peer };
  const discover = discoverIn({ identity, clock, crypto: nobleCrypto, directory, devices });
  expect(await discover(['mistral', 'model:phi'], never)).toEqual([good.bytes, good.bytes]);
  await discover([], never);
  expect(asked).toEqual(['model:mistral', 'model:phi', identity.peer]);
});

test('a search that does not end is ended at its limit, not before', async () => {
  let ended = false;
  const directory: Directory = {
    announce: async () => undefined,
    async *find(_what, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  };
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const devices = { isBlocked: () => false };
  const answer = discoverIn({ identity, clock, crypto: nobleCrypto, directory, devices })(['m'], never);
  void answer.then(() => (ended = true));
  await clock.advance(limits.discoverMs - 1);
  expect(ended).toBe(false);
  await clock.advance(1);
  expect(await answer).toEqual([]);
});
