import type { Connection, Stream } from '@libp2p/interface';
import { streamPair } from '@libp2p/utils';
import { nobleCrypto, PeerAiError, type Random } from '@peerai/core-protocol';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type MembershipDeps, proveAsAnswerer, proveAsDialler } from './membership.ts';

const random = seededRandom(31);
const networkKey = random.bytes(limits.networkKeyBytes);
const clock = new ManualClock();
const deps = (self: string): MembershipDeps => ({ clock, random, crypto: nobleCrypto, networkKey, self });
const linkTo = (peer: string): Connection => ({ remotePeer: { toString: () => peer } }) as unknown as Connection;

/** Both halves over one stream; what each side says may be changed on its way. */
async function meet(change: (bytes: Uint8Array, message: number) => Uint8Array): Promise<readonly string[]> {
  const [dialling, answering] = await streamPair({ delay: 0 });
  let said = 0;
  for (const stream of [dialling, answering]) {
    const send = stream.send.bind(stream);
    stream.send = (data) => send(change(data instanceof Uint8Array ? data.slice() : data.subarray(), said++));
  }
  const outcome = async (work: Promise<void>, other: Stream): Promise<string> => {
    try {
      await work;
      return 'proven';
    } catch (error) {
      // The link is gone then.
      if (other.status === 'open') other.abort(new Error('the other side let go'));
      return PeerAiError.is(error) ? error.code : String(error);
    }
  };
  return Promise.all([
    outcome(proveAsDialler(deps('a'), linkTo('b'), dialling), answering),
    outcome(proveAsAnswerer(deps('b'), linkTo('a'), answering), dialling),
  ]);
}

test('who knows the key is believed by both sides', async () => {
  expect(await meet((bytes) => bytes)).toEqual(['proven', 'proven']);
});

test('a thousand changed proofs: never believed by both, nothing but PRIVATE_NETWORK', async () => {
  for (let turn = 0; turn < 1_000; turn += 1) {
    // The last message, the answerer's yes, is no proof: a changed one ends the link at the dialler's side alone.
    const target = turn % 3;
    const outcomes = await meet((bytes, message) => (message === target ? changed(bytes, random) : bytes));
    expect(outcomes).toContain('PRIVATE_NETWORK');
    expect(outcomes.filter((one) => one !== 'PRIVATE_NETWORK' && one !== 'proven')).toEqual([]);
  }
}, 60_000);

/** As many bytes, so that nobody waits for more. */
function changed(bytes: Uint8Array, mutations: Random): Uint8Array {
  const [place = 0, mask = 0, kind = 0] = mutations.bytes(3);
  if (kind % 8 === 0) return mutations.bytes(bytes.length);
  bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ (mask === 0 ? 1 : mask);
  return bytes;
}
