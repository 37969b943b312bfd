import { createIdentity, equalBytes, PeerAiError, toBase64Url, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { readContent, readLetter, writeContent } from './letters.ts';
import { createMls, headOf } from './mls.ts';

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;

const random = seededRandom(41);
const mlsOf = () => createMls({ crypto: nodeCrypto, random, identity: createIdentity(nodeCrypto, random.bytes(32)) });
const [a, b] = [mlsOf(), mlsOf()];
const founder = createIdentity(nodeCrypto, new Uint8Array(32).fill(1));
const own = createMls({ crypto: nodeCrypto, random, identity: founder });
const keys = await b.keyPackage();
const state = await own.found(new Uint8Array(16), { name: 'team', committer: founder.peer });
const { message } = await own.seal(state, utf8('hello'));
const group = '0'.repeat(32);

async function welcomeOf(): Promise<Uint8Array> {
  const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(2));
  const mls = createMls({ crypto: nodeCrypto, random, identity });
  const pair = await mls.keyPackage();
  const made = await own.commit(state, { add: [{ peer: identity.peer, keyPackage: pair.message }] });
  return made.welcome ?? new Uint8Array();
}

const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: (bytes: Uint8Array) => unknown }> = {
  'a message for members': { valid: message, decode: headOf },
  'a welcome': { valid: await welcomeOf(), decode: (bytes) => a.welcomed(bytes) },
  'a letter': {
    valid: message,
    decode: (bytes) => {
      const { data } = readLetter({ group, place: 1, type: 'mls', data: toBase64Url(bytes) });
      return headOf(data);
    },
  },
  'a letter’s text': {
    valid: utf8(toBase64Url(message)),
    decode: (bytes) => readLetter({ group, place: 1, type: 'mls', data: new TextDecoder('latin1').decode(bytes) }),
  },
  'what was sealed': {
    valid: writeContent({ from: founder.peer, id: group, kind: 'text', sentMs: 1, payload: { text: 'hello' } }),
    decode: readContent,
  },
};

test.each(Object.entries(decoders))(
  'ten thousand mutations of %s: read or refused, never anything else, and soon',
  (_name, { valid, decode }) => {
    expect(() => decode(valid)).not.toThrow();
    const word = (below: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % below;
    let [refused, slowestMs] = [0, 0];
    for (let turn = 0; turn < mutationsEach; turn += 1) {
      let input: Uint8Array = valid.slice();
      for (let count = 1 + word(4); count > 0; count -= 1) {
        const at = word(input.length + 1);
        const change = word(4);
        if (change === 0 && at < input.length) input[at] = word(256);
        else if (change === 1)
          input = Uint8Array.from([...input.subarray(0, at), 0xff, 0xff, 0xff, 0xff, ...input.subarray(at)]);
        else if (change === 2) input = Uint8Array.from([...input.subarray(0, at), ...input.subarray(at + word(16))]);
        else input = Uint8Array.from([...input.subarray(0, at), ...random.bytes(1 + word(8))]);
      }
      const tookMs = workMs(
        () => {
          try {
            decode(input);
          } catch (error) {
            refused += 1;
            if (!PeerAiError.is(error, 'INVALID_FORMAT', 'LIMIT_EXCEEDED')) {
              throw new Error(`input ${toBase64Url(input)}`, { cause: error });
            }
          }
        },
        slowestMsMax,
        3,
      );
      slowestMs = Math.max(slowestMs, tookMs);
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
    expect(refused).toBeGreaterThan(mutationsEach / 20);
  },
  60_000,
);

test('a mutated key package adds nobody', async () => {
  const peer = createIdentity(nodeCrypto, new Uint8Array(32).fill(3)).peer;
  for (let at = 0; at < keys.message.length; at += 7) {
    const changed = keys.message.with(at, (keys.message[at] ?? 0) ^ 0x10);
    expect(equalBytes(changed, keys.message)).toBe(false);
    await expect(own.commit(state, { add: [{ peer, keyPackage: changed }] })).rejects.toSatisfy((error) =>
      PeerAiError.is(error, 'INVALID_FORMAT', 'REFUSED'),
    );
  }
});
