import { createIdentity, PeerAiError, type Random, toBase64Url, toHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { clientOf, openCharter, signCharter } from './charter.ts';
import { openEntry, signEntry } from './entry.ts';
import { exchangeMethod, readLetter, readVector, writeLetter } from './protocol.ts';
import { checkUpdate, createReplica } from './replica.ts';

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;

const random = seededRandom(17);
const identity = createIdentity(crypto, random.bytes(32));
const charter = signCharter(crypto, identity, {
  name: 'notes',
  salt: random.bytes(16),
  version: 1,
  members: [identity.peer],
  group: undefined,
});
const client = clientOf(crypto, charter.id, identity.peer, 1);
const replica = createReplica();
for (let turn = 0; turn < 6; turn += 1) {
  replica.write(client, (parts) => {
    parts.set(`key ${turn % 3}`, JSON.stringify({ turn, list: [1, 'two', null] }));
    parts.retext(`text ${turn} and more ${'x'.repeat(turn)}`);
  });
}
const update = replica.snapshot(new Set([client])) ?? new Uint8Array();
const entry = signEntry(identity, { document: charter.id, life: 1, place: 2, covers: [{ life: 1, place: 1 }], update });
const said = { charter: charter.bytes, vector: [{ author: identity.peer, life: 1, place: 2 }], entries: [entry.bytes] };
const clients = new Set([client]);
/** What passed the check is applied as well: the library must not be hurt by what we let through. */
const apply = (bytes: Uint8Array): void => {
  checkUpdate(bytes, clients);
  const other = createReplica();
  other.apply(bytes);
  other.entries();
  other.text();
};

const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: (bytes: Uint8Array) => unknown }> = {
  charter: { valid: charter.bytes, decode: (bytes) => openCharter(crypto, bytes) },
  entry: { valid: entry.bytes, decode: (bytes) => openEntry(crypto, bytes) },
  update: { valid: update, decode: apply },
  'question about a document': {
    valid: exchangeMethod.request.encode(said),
    decode: (bytes) => readVector(exchangeMethod.request.decode(bytes).vector),
  },
  letter: {
    valid: new TextEncoder().encode(JSON.stringify(writeLetter({ charter: charter.bytes, entries: [entry.bytes] }))),
    decode: (bytes) => {
      let payload: unknown;
      try {
        payload = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        throw new PeerAiError('INVALID_FORMAT', 'no JSON');
      }
      return readLetter(payload);
    },
  },
};

test.each(Object.entries(decoders))(
  'ten thousand mutations of a %s: taken or refused, never anything else, and soon',
  (_name, { valid, decode }) => {
    expect(() => decode(valid)).not.toThrow();
    const mutations = seededRandom(valid.length);
    let [refused, slowestMs] = [0, 0];
    for (let turn = 0; turn < mutationsEach; turn += 1) {
      const input = mutate(valid, mutations);
      let isRefused = false;
      const tookMs = workMs(
        () => {
          try {
            decode(input);
          } catch (error) {
            isRefused = true;
            if (!PeerAiError.is(error, 'INVALID_FORMAT', 'INVALID_SIGNATURE', 'LIMIT_EXCEEDED', 'REFUSED')) {
              throw new Error(`input ${toBase64Url(input)}`, { cause: error });
            }
          }
        },
        slowestMsMax,
        3,
      );
      if (isRefused) refused += 1;
      slowestMs = Math.max(slowestMs, tookMs);
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
    expect(refused).toBeGreaterThan(mutationsEach / 20);
  },
  120_000,
);

function mutate(valid: Uint8Array, source: Random): Uint8Array {
  const word = (below: number): number => new DataView(source.bytes(4).buffer).getUint32(0) % below;
  let input: Uint8Array = valid.slice();
  for (let count = 1 + word(4); count > 0; count -= 1) {
    const at = word(input.length + 1);
    const change = word(4);
    if (change === 0 && at < input.length) input[at] = word(256);
    else if (change === 1)
      input = Uint8Array.from([...input.subarray(0, at), 0xff, 0xff, 0xff, 0x7f, ...input.subarray(at)]);
    else if (change === 2) input = Uint8Array.from([...input.subarray(0, at), ...input.subarray(at + word(16))]);
    else input = Uint8Array.from([...input.subarray(0, at), ...source.bytes(1 + word(8)), ...input.subarray(at)]);
  }
  return input;
}

test('an entry says the same when it was read, and nobody can found a document again', () => {
  expect(openEntry(crypto, entry.bytes)).toMatchObject({
    author: identity.peer,
    life: 1,
    place: 2,
    document: charter.id,
  });
  const other = createIdentity(crypto, random.bytes(32));
  expect(signCharter(crypto, other, charter).id).not.toBe(charter.id);
  expect(toHex(openCharter(crypto, charter.bytes).salt)).toBe(toHex(charter.salt));
});
