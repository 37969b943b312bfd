import {
  concatBytes,
  fromHex,
  PeerAiError,
  type PeerId,
  publicKeyFromPeerId,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { MemoryStore, mutated } from '@peerai/core-protocol/testing';
import { ed25519_FROST as frost } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';

import { ceremony, keysOf, of, peersOf, random, signerOf } from '../../test/group.ts';
import { all, crypto, flipped, ledgerWorld, type LedgerWorld, notes } from '../../test/world.ts';
import { openCheckpoint } from '../index.ts';
import { limits } from '../limits.ts';
import { fromBase64 } from '../log/base64.ts';
import { decodeAnnouncement, decodeShare } from './ceremony-wire.ts';
import { createSigningSession, type GroupKey, type GroupSigner, type SessionHead } from './index.ts';
import { decodeCommitment, decodeRequest } from './request.ts';

const members = peersOf(4);
const [a, b, c, d] = members as [PeerId, PeerId, PeerId, PeerId];
const keys = keysOf(members, 3);
const key = of(keys, a);
const code = (expected: string, ...peers: readonly PeerId[]) =>
  expect.objectContaining(peers.length === 0 ? { code: expected } : { code: expected, details: { peers } });
const headOf = (size: bigint, mark = 1): SessionHead => ({ size, root: new Uint8Array(32).fill(mark), proof: [] });

const headOfLog = async ({ ledger }: LedgerWorld) => openCheckpoint(crypto, (await ledger.checkpoint()).note);

interface Round {
  readonly session: ReturnType<typeof createSigningSession>;
  readonly parts: ReadonlyMap<PeerId, Uint8Array>;
}

/** These members' parts of one signature. */
async function round(signers: readonly GroupSigner[], head: SessionHead, own: GroupKey = key): Promise<Round> {
  const commitments = new Map(signers.map((signer) => [signer.key.self, signer.commit()]));
  const session = createSigningSession(crypto, own, head, commitments);
  const parts = new Map<PeerId, Uint8Array>();
  for (const signer of signers) parts.set(signer.key.self, await signer.sign(session.request));
  return { session, parts };
}

const fresh = (...peers: readonly PeerId[]): Promise<GroupSigner[]> =>
  Promise.all(peers.map((peer) => signerOf(of(keys, peer))));

describe('a checkpoint of a group', () => {
  it.each([[[a, b, c]], [[b, d, c]], [[a, b, c, d]]])(
    'is an ordinary signed note, whoever of it signs: %#',
    async (who) => {
      const { session, parts } = await round(await fresh(...who), headOf(7n));
      const note = session.finish(parts);
      expect(openCheckpoint(crypto, note)).toEqual({ origin: key.group, size: 7n, root: headOf(7n).root });
      const signature = fromBase64(note.trim().split(' ').at(-1) ?? '').slice(4);
      const text = utf8(note.slice(0, note.indexOf('\n\n') + 1));
      expect(crypto.ed25519.verify(signature, text, publicKeyFromPeerId(key.group))).toBe(true);
    },
  );

  it('is not made by fewer members than the threshold', async () => {
    await expect(round(await fresh(a, b), headOf(1n))).rejects.toThrow(code('INVALID_FORMAT'));
    const signers = await fresh(a, b, c);
    const { session, parts } = await round(signers, headOf(1n));
    const two = new Map([...parts].slice(0, 2));
    expect(() => session.finish(two)).toThrow(code('NOT_FOUND', c));
  });

  it('names who sent a wrong part, or what is no part, and is made without it', async () => {
    const signers = await fresh(a, b, c, d);
    const { session, parts } = await round(signers, headOf(1n));
    const forged = new Map(parts).set(b, flipped(of(parts, b), 3)).set(d, random.bytes(7));
    expect(() => session.finish(forged)).toThrow(code('SIGNER_WRONG', b, d));
    const again = await round([...(await fresh(a, c, d))], headOf(1n));
    expect(openCheckpoint(crypto, again.session.finish(again.parts)).size).toBe(1n);
  });

  it('takes commitments of its members only, and none that is no pair of points', async () => {
    const signers = await fresh(a, b, c);
    const commitments = new Map(signers.map((signer) => [signer.key.self, signer.commit()]));
    const begin = (peer: PeerId, bytes: Uint8Array) =>
      createSigningSession(crypto, key, headOf(1n), new Map(commitments).set(peer, bytes));
    expect(() => begin(b, random.bytes(60))).toThrow(code('SIGNER_WRONG', b));
    const zero = concatBytes(Uint8Array.of(10, 32, 1), new Uint8Array(31), of(commitments, b).slice(34));
    expect(() => begin(b, zero)).toThrow(code('SIGNER_WRONG', b));
    expect(() => begin(peersOf(1)[0] ?? b, of(commitments, b))).toThrow(code('INVALID_FORMAT'));
  });
});

describe('a signer', () => {
  it('uses a commitment once, also when the session failed, and knows none of before a restart', async () => {
    const store = new MemoryStore();
    const [first, second, third] = [await signerOf(key, store), ...(await fresh(b, c))] as const;
    if (second === undefined || third === undefined) throw new Error('no signers');
    const commitments = new Map([first, second, third].map((signer) => [signer.key.self, signer.commit()]));
    const session = createSigningSession(crypto, key, headOf(4n), commitments);
    const other = createSigningSession(crypto, key, headOf(5n), commitments);
    const part = await first.sign(session.request);
    await expect(first.sign(session.request)).rejects.toThrow(code('NOT_FOUND'));
    await expect(first.sign(other.request)).rejects.toThrow(code('NOT_FOUND'));
    const open = first.commit();
    const restarted = await signerOf(key, store);
    const late = createSigningSession(crypto, key, headOf(4n), new Map(commitments).set(a, open));
    await expect(restarted.sign(late.request)).rejects.toThrow(code('NOT_FOUND'));
    const parts = new Map([
      [a, part],
      [b, await second.sign(session.request)],
      [c, await third.sign(session.request)],
    ]);
    expect(openCheckpoint(crypto, session.finish(parts)).size).toBe(4n);
  });

  it('remembers as many commitments as the limit allows, and forgets the oldest', async () => {
    const [signer, ...others] = await fresh(a, b, c);
    if (signer === undefined) throw new Error('no signer');
    const made = Array.from({ length: limits.groupNoncesMax + 1 }, () => signer.commit());
    const request = (own: Uint8Array = new Uint8Array()) =>
      createSigningSession(
        crypto,
        key,
        headOf(1n),
        new Map([[a, own], ...others.map((one) => [one.key.self, one.commit()] as const)]),
      ).request;
    await expect(signer.sign(request(made[0]))).rejects.toThrow(code('NOT_FOUND'));
    expect(await signer.sign(request(made[1]))).toHaveLength(32);
  });

  it('signs no head that takes back what it signed, before and after a restart', async () => {
    const world = await ledgerWorld(3);
    await world.ledger.append(notes(3));
    const before = await headOfLog(world);
    await world.ledger.append(notes(4, 3));
    const after = await headOfLog(world);
    const proof = await world.ledger.proveConsistency(before.size, after.size);
    const stores = members.slice(0, 3).map(() => new MemoryStore());
    const open = () => Promise.all(stores.map((store, at) => signerOf(of(keys, members[at] ?? a), store)));
    const signers = await open();
    await round(signers, { size: before.size, root: before.root, proof: [] });
    for (const some of [signers, await open()]) {
      await expect(round(some, headOf(before.size, 9))).rejects.toThrow(code('PROOF_WRONG'));
      await expect(round(some, headOf(before.size - 1n))).rejects.toThrow(code('PROOF_WRONG'));
      await expect(round(some, { size: after.size, root: after.root, proof: [] })).rejects.toThrow(code('PROOF_WRONG'));
    }
    const same = await round(signers, { size: before.size, root: before.root, proof: [] });
    expect(openCheckpoint(crypto, same.session.finish(same.parts)).size).toBe(before.size);
    const grown = await round(signers, { size: after.size, root: after.root, proof });
    expect(openCheckpoint(crypto, grown.session.finish(grown.parts)).root).toEqual(after.root);
    expect(await all(world.ledger.read(0n, 7n))).toHaveLength(7);
  });

  it('lets nothing leave when its store fails', async () => {
    const store = new MemoryStore();
    const room = store.room('group');
    const failing = {
      range: room.range.bind(room),
      room: room.room.bind(room),
      get: room.get.bind(room),
      put: room.put.bind(room),
      commit: () => Promise.reject(new Error('full')),
    };
    const signer = await signerOf(key, Object.assign(store, { room: () => failing }));
    const others = await fresh(b, c);
    await expect(round([signer, ...others], headOf(1n))).rejects.toThrow('full');
  });
});

describe('bytes of a stranger', () => {
  it('prove a head by as many hashes as a tree of 2^64 leaves can need, not by one more', async () => {
    const signers = await fresh(a, b, c);
    const commitments = new Map(signers.map((signer) => [signer.key.self, signer.commit()]));
    const asked = (count: number): Uint8Array => {
      const proof = Array.from({ length: count }, () => new Uint8Array(32));
      return createSigningSession(crypto, key, { ...headOf(3n), proof }, commitments).request;
    };
    const most = limits.consistencyHashesMax;
    expect(decodeRequest(key, asked(most)).proof).toHaveLength(most);
    expect(() => decodeRequest(key, asked(most + 1))).toThrow(PeerAiError);
  });

  it('mutated ten thousand times for each decoder are what they were, or an error with a code', async () => {
    const signers = await fresh(a, b, c);
    const commitments = new Map(signers.map((signer) => [signer.key.self, signer.commit()]));
    const { request } = createSigningSession(crypto, key, { ...headOf(3n), proof: [random.bytes(32)] }, commitments);
    const commitment = of(commitments, a);
    const begun = ceremony(members, 3);
    const announced = of(begun.announced, a);
    const share = of(of(begun.all, a).share(begun.announced), b);
    const decoders: readonly (readonly [(bytes: Uint8Array) => unknown, Uint8Array])[] = [
      [decodeCommitment, commitment],
      [(bytes) => decodeRequest(key, bytes), request],
      [decodeAnnouncement, announced],
      [decodeShare, share],
    ];
    for (const [decode, bytes] of decoders) expect(() => decode(bytes)).not.toThrow();
    let refused = 0;
    for (let turn = 0; turn < 40_000; turn += 1)
      try {
        const [decode, bytes] = decoders[turn % decoders.length] ?? [decodeCommitment, commitment];
        decode(mutated(bytes, random));
      } catch (error) {
        expect(error).toBeInstanceOf(PeerAiError);
        refused += 1;
      }
    expect(refused).toBeGreaterThan(20_000);
    expect(decodeRequest(key, request).commitments.size).toBe(3);
  });
});

describe('FROST(Ed25519, SHA-512)', () => {
  it('gives the nonces, commitments, parts and signature of RFC 9591, appendix E.1', () => {
    const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(fromHex(hex));
    const rfc = {
      secret: '7b1c33d3f5291d85de664833beb1ad469f7fb6025a0ec78b3a790c6e13a98304',
      publicKey: '15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673',
      coefficient: '178199860edd8c62f5212ee91eff1295d0d670ab4ed4506866bae57e7030b204',
      signature:
        '36282629c383bb820a88b71cae937d41f2f2adfcc3d02e55507e2fb9e2dd3cbebd9d2b0844e49ae0f3fa935161e1419aab7b47d21a37ebeae1f17d4987b3160b',
      signers: [
        {
          number: 1,
          share: '929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509',
          random: [
            '0fd2e39e111cdc266f6c0f4d0fd45c947761f1f5d3cb583dfcb9bbaf8d4c9fec',
            '69cd85f631d5f7f2721ed5e40519b1366f340a87c2f6856363dbdcda348a7501',
          ],
          hiding: 'b5aa8ab305882a6fc69cbee9327e5a45e54c08af61ae77cb8207be3d2ce13de3',
          binding: '67e98ab55aa310c3120418e5050c9cf76cf387cb20ac9e4b6fdb6f82a469f932',
          part: '001719ab5a53ee1a12095cd088fd149702c0720ce5fd2f29dbecf24b7281b603',
        },
        {
          number: 3,
          share: 'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02',
          random: [
            '86d64a260059e495d0fb4fcc17ea3da7452391baa494d4b00321098ed2a0062f',
            '13e6b25afb2eba51716a9a7d44130c0dbae0004a9ef8d7b5550c8a0e07c61775',
          ],
          hiding: 'cfbdb165bd8aad6eb79deb8d287bcc0ab6658ae57fdcc98ed12c0669e90aec91',
          binding: '7487bc41a6e712eea2f2af24681b58b1cf1da278ea11fe4e8b78398965f13552',
          part: 'bd86125de990acc5e1f13781d8e32c03a9bbd4c53539bbc106058bfd14326007',
        },
      ],
    } as const;
    const signers = { min: 2, max: 3 };
    const { Fn } = frost.utils;
    const coefficients = [Fn.fromBytes(bytes(rfc.secret)), Fn.fromBytes(bytes(rfc.coefficient))];
    const { commitment } = frost.utils.generateSecretPolynomial(signers, bytes(rfc.secret), coefficients.slice(1));
    expect(toHex(commitment[0] ?? new Uint8Array())).toBe(rfc.publicKey);
    const group = { signers, commitments: commitment, verifyingShares: {} as Record<string, Uint8Array<ArrayBuffer>> };
    const made = rfc.signers.map(({ number, share, random: drawn }) => {
      const secret = { identifier: frost.Identifier.fromNumber(number), signingShare: bytes(share) };
      frost.validateSecret(secret, group);
      const left = [...drawn];
      return { secret, ...frost.commit(secret, () => bytes(left.shift() ?? '')) };
    });
    const list = made.map(({ commitments }) => commitments);
    expect(list.map(({ hiding, binding }) => [toHex(hiding), toHex(binding)])).toEqual(
      rfc.signers.map(({ hiding, binding }) => [hiding, binding]),
    );
    const message = utf8('test');
    const parts = made.map(({ secret, nonces }) => frost.signShare(secret, group, nonces, list, message));
    expect(parts.map(toHex)).toEqual(rfc.signers.map(({ part }) => part));
    const named = Object.fromEntries(made.map(({ secret }, at) => [secret.identifier, parts[at] ?? new Uint8Array()]));
    for (const { secret } of made) group.verifyingShares[secret.identifier] = bytes(rfc.publicKey);
    expect(toHex(frost.aggregate(group, list, message, named))).toBe(rfc.signature);
    expect(crypto.ed25519.verify(bytes(rfc.signature), message, bytes(rfc.publicKey))).toBe(true);
  });
});
