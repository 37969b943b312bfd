import { secp256k1 } from '@noble/curves/secp256k1.js';
import { createIdentity, fromHex, nobleCrypto as crypto, PeerAiError, toHex } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { evmLimits } from './limits.ts';
import {
  addressOf,
  createSettlementKey,
  openSettlementKey,
  settlementKey,
  settlementKeyEntry,
  stateSettlementKey,
} from './settlement-key.ts';

const random = seededRandom(3);
const identity = createIdentity(crypto, random.bytes(32));
const key = createSettlementKey(random);
const statement = stateSettlementKey({ crypto, identity }, key, 1_700_000_000_000);

describe('a settlement key', () => {
  it('has the address that every wallet gives it', () => {
    // The first account of the mnemonic "test test … junk", known from hardhat's and anvil's documentation.
    const secret = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
    expect(settlementKey(secret).address).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  });

  it('is a number from 1 to below the order of secp256k1', () => {
    const order = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
    const below = order.slice();
    below[31] = 0x40;
    expect(settlementKey(below).address).toMatch(/^0x[0-9a-f]{40}$/u);
    for (const bad of [order, new Uint8Array(32), random.bytes(31)])
      expect(() => settlementKey(bad)).toThrow(expect.objectContaining({ code: 'KEY_REFUSED' }));
  });
});

describe('a settlement key’s statement', () => {
  it('is checked offline and says whose the key is, since when, at which address', () => {
    const { peer, publicKey, address, statedMs } = openSettlementKey(crypto, statement);
    expect({ peer, address, statedMs }).toEqual({
      peer: identity.peer,
      address: key.address,
      statedMs: 1_700_000_000_000,
    });
    expect(toHex(publicKey)).toBe(toHex(key.publicKey));
    expect(address).toBe(addressOf(secp256k1.getPublicKey(key.secret)));
    expect(settlementKeyEntry(statement)).toEqual({ kind: 'settlement-key', body: statement });
  });

  it('is nothing without the key’s own signature, and nothing under another peer’s', () => {
    const other = createSettlementKey(random);
    const claimed = stateSettlementKey({ crypto, identity }, { ...other, publicKey: key.publicKey }, 1);
    expect(() => openSettlementKey(crypto, claimed)).toThrow(expect.objectContaining({ code: 'INVALID_SIGNATURE' }));
    const thief = createIdentity(crypto, random.bytes(32));
    const taken = stateSettlementKey({ crypto, identity: { ...thief, publicKey: identity.publicKey } }, key, 1);
    expect(() => openSettlementKey(crypto, taken)).toThrow(expect.objectContaining({ code: 'INVALID_SIGNATURE' }));
    const bound = stateSettlementKey({ crypto, identity: { ...identity, publicKey: thief.publicKey } }, key, 1);
    expect(() => openSettlementKey(crypto, bound)).toThrow(expect.objectContaining({ code: 'INVALID_SIGNATURE' }));
  });

  it('opens as itself or not at all, however its bytes are changed', () => {
    const codes = new Set<string>();
    for (let round = 0; round < 60; round += 1) {
      try {
        expect(openSettlementKey(crypto, mutated(statement, random))).toMatchObject({ address: key.address });
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
        codes.add(error.code);
      }
    }
    expect([...codes]).toContain('INVALID_SIGNATURE');
    const most = new Uint8Array(evmLimits.keyStatementBytesMax);
    expect(() => openSettlementKey(crypto, most)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    const over = new Uint8Array(evmLimits.keyStatementBytesMax + 1);
    expect(() => openSettlementKey(crypto, over)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(statement.length).toBeLessThan(evmLimits.keyStatementBytesMax);
  });
});
