import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../bytes.ts';
import { nobleCrypto as crypto } from '../crypto/noble.ts';
import { limits } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { bytes, message } from '../wire/index.ts';
import { emojiTable } from './emoji.ts';
import { compareEmoji, fingerprint } from './fingerprint.ts';
import { createIdentity } from './identity.ts';
import { parsePeerId, peerIdFromPublicKey, publicKeyFromPeerId } from './peer-id.ts';
import { openRecord, type PeerRecord, signRecord } from './record.ts';
import { openSigned, sealSigned, signedBytes } from './signed.ts';

const random = seededRandom(4);
const alice = createIdentity(crypto, random.bytes(32));
const bob = createIdentity(crypto, random.bytes(32));
const nowMs = 1_750_000_000_000;
const record: Omit<PeerRecord, 'peer'> = {
  addresses: ['/ip4/192.0.2.1/tcp/4001', '/dns4/relay.example/tcp/443/wss/p2p-circuit'],
  name: 'Study PC',
  sequence: 3,
  expiresMs: nowMs + 60_000,
  sealKey: new Uint8Array(32).fill(1),
  models: ['nano', 'mistral:7b'],
  agent: 'peerai/0.1.0',
};
const names = (count: number): string[] => Array.from({ length: count }, (_, place) => `x${place}`);
const failure = (code: string) => expect.objectContaining({ code });

describe('A peer id', () => {
  it('is the text libp2p writes: the spec’s example goes through the key and back', () => {
    const published = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA';
    expect(peerIdFromPublicKey(publicKeyFromPeerId(published))).toBe(published);
    expect(parsePeerId(alice.peer)).toBe(alice.peer);
    expect(publicKeyFromPeerId(alice.peer)).toEqual(alice.publicKey);
    expect(() => peerIdFromPublicKey(new Uint8Array(31))).toThrow(failure('INVALID_FORMAT'));
  });

  it.each([
    '',
    'x',
    '0OIl',
    alice.peer.slice(1),
    `${alice.peer}1`,
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    '1'.repeat(10_000),
  ])('is refused when it is none: %s', (text) => {
    expect(() => parsePeerId(text)).toThrow(failure('INVALID_FORMAT'));
  });
});

describe('A signed piece', () => {
  it('opens under its own tag only, and no changed bit survives', () => {
    const sealed = sealSigned(alice, 'tag/1', utf8('body'));
    expect(openSigned(crypto, 'tag/1', sealed)).toEqual({ body: utf8('body'), signer: alice.publicKey });
    expect(() => openSigned(crypto, 'tag/2', sealed)).toThrow(failure('INVALID_SIGNATURE'));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openSigned(crypto, 'tag/1', changed)).toThrow(expect.objectContaining({ name: 'PeerAiError' }));
    }
    expect(signedBytes('t', Uint8Array.of(1))).toEqual(Uint8Array.of(0x74, 0, 1));
  });
});

describe('A fingerprint', () => {
  it('is the same for the same key and shows eight pictures with their names', () => {
    const seen = fingerprint(crypto, alice.publicKey);
    expect(seen).toEqual(fingerprint(crypto, alice.publicKey));
    expect(seen.hex).toMatch(/^[0-9a-f]{64}$/);
    expect(seen.emoji).toHaveLength(8);
    const names = new Map(emojiTable);
    expect(seen.emoji.map((emoji) => names.get(emoji))).toEqual(seen.words);
    expect(fingerprint(crypto, bob.publicKey).hex).not.toBe(seen.hex);
  });

  it('takes its pictures from a table of 64 different ones with different names', () => {
    expect(new Set(emojiTable.map(([emoji]) => emoji)).size).toBe(64);
    expect(new Set(emojiTable.map(([, name]) => name)).size).toBe(64);
  });

  it('reads six bits a picture from the first bit on', () => {
    const digest = Uint8Array.of(0b000000_01, 0b0000_0000, 0b11_111111, 0, 0, 0, 0, 0);
    const { words } = fingerprint({ ...crypto, sha256: () => digest }, alice.publicKey);
    expect(words.slice(0, 4)).toEqual([0, 16, 3, 63].map((place) => emojiTable[place]?.[1]));
  });
});

describe('The pictures of a pairing', () => {
  const secret = new Uint8Array(16).fill(5);

  it('are the same four on both sides, and others for another secret or peer', () => {
    const seen = compareEmoji(crypto, alice.peer, bob.peer, secret);
    expect(seen).toHaveLength(4);
    expect(compareEmoji(crypto, bob.peer, alice.peer, secret)).toEqual(seen);
    expect(compareEmoji(crypto, alice.peer, bob.peer, new Uint8Array(16))).not.toEqual(seen);
    const eve = createIdentity(crypto, random.bytes(32));
    expect(compareEmoji(crypto, alice.peer, eve.peer, secret)).not.toEqual(seen);
  });
});

describe('A peer record', () => {
  it('opens to what was signed, and names its signer', () => {
    expect(openRecord(crypto, signRecord(alice, record), nowMs)).toEqual({ peer: alice.peer, ...record });
    const { sealKey: _, ...without } = record;
    expect(openRecord(crypto, signRecord(alice, without), nowMs)).toEqual({ peer: alice.peer, ...without });
  });

  it('is refused once it has expired, when it claims too long a life, and in another version', () => {
    const sealed = signRecord(alice, record);
    expect(openRecord(crypto, sealed, record.expiresMs - 1).sequence).toBe(3);
    expect(() => openRecord(crypto, sealed, record.expiresMs)).toThrow(failure('EXPIRED'));
    const lifeMs = limits.recordLifeMsMax + limits.clockSkewMsMax;
    const longest = signRecord(alice, { ...record, expiresMs: nowMs + lifeMs });
    expect(openRecord(crypto, longest, nowMs).peer).toBe(alice.peer);
    expect(() => openRecord(crypto, longest, nowMs - 1)).toThrow(failure('LIMIT_EXCEEDED'));
    const { body } = openSigned(crypto, 'peerai/record/1', sealed);
    const second = concatBytes(Uint8Array.of(8, 2), body.subarray(2));
    expect(() => openRecord(crypto, sealSigned(alice, 'peerai/record/1', second), nowMs)).toThrow(
      failure('INVALID_VERSION'),
    );
  });

  it.each([
    ['name', { name: 'x'.repeat(limits.nameBytesMax) }, { name: 'x'.repeat(limits.nameBytesMax + 1) }],
    ['agent', { agent: 'é'.repeat(limits.nameBytesMax / 2) }, { agent: `${'é'.repeat(limits.nameBytesMax / 2)}x` }],
    [
      'address',
      { addresses: ['x'.repeat(limits.addressBytesMax)] },
      { addresses: ['x'.repeat(limits.addressBytesMax + 1)] },
    ],
    [
      'addresses',
      { addresses: Array.from({ length: 16 }, () => 'a') },
      { addresses: Array.from({ length: 17 }, () => 'a') },
    ],
    [
      'model',
      { models: ['x'.repeat(limits.modelNameBytesMax)] },
      { models: ['x'.repeat(limits.modelNameBytesMax + 1)] },
    ],
    ['mailbox', { mailboxes: ['x'.repeat(256)] }, { mailboxes: ['x'.repeat(257)] }],
    ['mailboxes', { mailboxes: names(limits.recordMailboxesMax) }, { mailboxes: names(limits.recordMailboxesMax + 1) }],
    ['models', { models: names(limits.recordModelsMax) }, { models: names(limits.recordModelsMax + 1) }],
    ['models', { models: Array.from({ length: 64 }, () => 'm') }, { models: Array.from({ length: 65 }, () => 'm') }],
  ])('takes %s up to its limit and refuses one more', (_, most, more) => {
    expect(openRecord(crypto, signRecord(alice, { ...record, ...most }), nowMs)).toMatchObject(most);
    expect(() => signRecord(alice, { ...record, ...more })).toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('refuses a whole above its limit before it reads it, and a seal key of another length', () => {
    expect(() => openRecord(crypto, new Uint8Array(limits.recordBytesMax + 1), nowMs)).toThrow(
      failure('LIMIT_EXCEEDED'),
    );
    expect(() => openRecord(crypto, new Uint8Array(limits.recordBytesMax), nowMs)).toThrow(failure('INVALID_FORMAT'));
    expect(() => signRecord(alice, { ...record, sealKey: new Uint8Array(31) })).toThrow(failure('INVALID_FORMAT'));
    for (const length of [1_215, 1_217]) {
      const letterKey = new Uint8Array(length);
      expect(() => signRecord(alice, { ...record, letterKey })).toThrow(failure('INVALID_FORMAT'));
    }
    const letterKey = new Uint8Array(1_216).fill(7);
    expect(openRecord(crypto, signRecord(alice, { ...record, letterKey }), nowMs).letterKey).toEqual(letterKey);
  });

  it('is not taken from another envelope with the same fields', () => {
    const other = message({ body: bytes(1), signer: bytes(2), signature: bytes(3) });
    const parts = other.decode(signRecord(alice, record));
    expect(() => openRecord(crypto, other.encode({ ...parts, signer: bob.publicKey }), nowMs)).toThrow(
      failure('INVALID_SIGNATURE'),
    );
  });
});
