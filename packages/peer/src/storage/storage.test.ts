import { nobleCrypto } from '@peerai/core-protocol';
import { MemoryShelf } from '@peerai/core-protocol/testing';
import { checkEvidence } from '@peerai/ledger/market';
import { afterEach, describe, expect, test } from 'vitest';
import { whileTimeGoes } from '../testing/real-time.ts';
import { live, until } from '../testing/steps.ts';
import { closeFair, content, fair, fetched, mib, only, started } from '../testing/storage-fair.ts';
import { storageLimits as limits } from './limits.ts';

afterEach(closeFair);
const code = (expected: string) => expect.objectContaining({ code: expected });
const chunksOf = (shelf: MemoryShelf, lease: string) => shelf.list(`storage/${lease}`);

describe('leased storage', () => {
  test('holds a sealed file, is paid by proof and time, and ends with both signatures', async () => {
    const { world, shelf, lender, borrower, lease, put, prove } = await fair();
    const { id, priceMicro, resource } = await lease();
    expect([resource, priceMicro]).toEqual(['storage', '4000000']);
    await put(id);
    const names = await chunksOf(shelf, id);
    expect(names).toHaveLength(2);
    // What the lender has is not what was given.
    const first = await shelf.read(`storage/${id}/${names[0] ?? ''}`, 0, 1_000_000);
    expect(Buffer.from(first).includes(Buffer.from(content.subarray(0, 32)))).toBe(false);
    expect(await only(borrower)).toMatchObject({ answers: 1, dueMicro: '0' });
    world.clock.jump(limits.proveEveryMs - limits.lookMs);
    await prove(id);
    const [ours, theirs] = [await only(borrower), await only(lender)];
    const held = BigInt(content.length + 2 * limits.sealBytes);
    const { storage } = borrower.peer.market;
    const [shown] = (await storage.view()).leases;
    expect(shown).toMatchObject({ proofs: 2, heldBytes: Number(held), failures: 0 });
    // A credit for a MiB and an hour, over what was held since the proof before, rounded up.
    const ms = BigInt(limits.proveEveryMs - limits.lookMs);
    const due = Number((held * ms * 1_000_000n) / (BigInt(mib) * 3_600_000n));
    expect(Math.abs(Number(ours.dueMicro) - due)).toBeLessThan(2_000);
    expect(theirs.dueMicro).toBe(ours.dueMicro);
    expect(Buffer.from(await fetched(world, borrower, 'notes.bin')).equals(content)).toBe(true);
    const { lease: over } = await whileTimeGoes(world.clock, borrower.peer.market.settle(id, live()));
    expect(over).toMatchObject({ state: 'settled', agreed: true, lockedMicro: '0' });
    expect(await only(lender)).toMatchObject({ state: 'settled', agreed: true, dueMicro: over.dueMicro });
    const kinds = (await lender.peer.books.entries({})).entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'storage-receipt')).toHaveLength(3);
    await expect(put(id)).rejects.toThrow(code('LEASE_OVER'));
    // Over is not gone: a day to fetch it, then the lender's disk is free.
    expect(Buffer.from(await fetched(world, borrower, 'notes.bin')).equals(content)).toBe(true);
  });

  test('is proven by itself now and then, and who is away is not paid for long', async () => {
    const { world, borrower, lease, put } = await fair({ credits: '0.1' });
    const { id } = await lease({ minutes: 600 });
    await put(id);
    const proofs = async () => (await only(borrower)).answers;
    world.clock.jump(limits.proveEveryMs);
    await world.clock.advance(limits.lookMs);
    await until(world.clock, async () => (await proofs()) === 2);
    const before = Number((await only(borrower)).dueMicro);
    world.networks.cut(borrower.identity.peer, started[0]?.identity.peer ?? borrower.identity.peer);
    world.clock.jump(3 * limits.proofGapMs);
    world.networks.heal(borrower.identity.peer, started[0]?.identity.peer ?? borrower.identity.peer);
    await whileTimeGoes(world.clock, borrower.peer.market.storage.prove(id, live()));
    const paid = Number((await only(borrower)).dueMicro) - before;
    const [shown] = (await borrower.peer.market.storage.view()).leases;
    const ofGap = ((shown?.heldBytes ?? 0) / mib) * 0.1 * 1e6 * 0.5;
    expect(Math.abs(paid - ofGap)).toBeLessThan(10);
  });

  test('is looked at each `lookMs`, and proven once `proveEveryMs` are over since the proof before', async () => {
    const { world, borrower, lease, put } = await fair();
    const { clock } = world;
    // The rooms sleep between their looks, the borrower's among them: both began with the first lease, a moment apart.
    const sleep = clock.sleep.bind(clock);
    const looksMs: number[] = [];
    clock.sleep = (ms, signal) => {
      if (ms === limits.lookMs) looksMs.push(clock.elapsedMs());
      return sleep(ms, signal);
    };
    const { id } = await lease();
    await put(id);
    const shown = async () => (await borrower.peer.market.storage.view()).leases[0];
    const untilLookMs = () => Math.min(...looksMs.slice(-2)) + limits.lookMs - clock.elapsedMs();
    await clock.advance(limits.lookMs);
    expect(looksMs.length).toBeGreaterThanOrEqual(2);
    const provenMs = (await shown())?.provenMs ?? 0;
    const spreadMs = Math.abs((looksMs.at(-1) ?? 0) - (looksMs.at(-2) ?? 0));
    // Both looks come while a millisecond is missing, at the most; nothing is proven.
    await clock.advance(untilLookMs() - 1);
    clock.jump(provenMs + limits.proveEveryMs - 1 - (clock.nowMs() + 1 + spreadMs));
    await clock.advance(1 + spreadMs);
    expect(await shown()).toMatchObject({ proofs: 1, provenMs });
    await clock.advance(untilLookMs() - 1);
    expect(await shown()).toMatchObject({ proofs: 1, provenMs });
    clock.jump(provenMs + limits.proveEveryMs - (clock.nowMs() + 1));
    await until(clock, async () => (await shown())?.proofs === 2);
    expect(((await shown())?.provenMs ?? 0) - provenMs - limits.proveEveryMs).toBeLessThanOrEqual(spreadMs);
  });

  test('gives a file back whole after both were killed, also in the middle of a proof', async () => {
    const { world, shelf, lender, borrower, lease, put } = await fair();
    const { id } = await lease();
    await put(id);
    const asked = borrower.peer.market.storage.prove(id, live());
    asked.catch(() => undefined);
    const stores = [world.kill(lender), world.kill(borrower)] as const;
    started.length = 0;
    const again = await world.peer('lender', { seed: 1, store: stores[0], shelf });
    const back = await world.peer('borrower', { seed: 2, store: stores[1], engine: false, shelf: new MemoryShelf() });
    started.push(again, back);
    await until(world.clock, () => back.peer.peers.list().some(({ state }) => state === 'online'));
    expect(Buffer.from(await fetched(world, back, 'notes.bin')).equals(content)).toBe(true);
    await whileTimeGoes(world.clock, back.peer.market.storage.prove(id, live()));
    expect((await only(back)).dueMicro).toBe((await only(again)).dueMicro);
    await whileTimeGoes(world.clock, back.peer.market.storage.remove('notes.bin', live()));
    expect(await chunksOf(shelf, id)).toEqual([]);
    await expect(fetched(world, back, 'notes.bin')).rejects.toThrow(code('FILE_UNKNOWN'));
  });

  test('that lost bytes fails its proofs, is not paid, and the third failure ends it with evidence', async () => {
    const { world, shelf, lender, borrower, lease, put, prove } = await fair();
    const { id } = await lease();
    await put(id);
    const names = await chunksOf(shelf, id);
    for (const name of names) {
      const file = `storage/${id}/${name}`;
      const bytes = await shelf.read(file, 0, 300_000);
      await shelf.write(
        file,
        0,
        bytes.map((byte) => byte ^ 1),
      );
    }
    await expect(fetched(world, borrower, 'notes.bin')).rejects.toThrow(code('HASH_MISMATCH'));
    for (let times = 0; times < limits.failuresMax; times += 1) {
      expect((await only(borrower)).state).toBe('active');
      await expect(prove(id)).rejects.toThrow(code('RECEIPT_WRONG'));
    }
    const { evidence } = await borrower.peer.market.evidence(id, 'for others');
    expect(checkEvidence(nobleCrypto, evidence, 0).standing).toMatchObject({ resource: 'storage', paid: 0n, n: 1 });
    expect(await only(borrower)).toMatchObject({ state: 'disputed', dueMicro: '0', lockedMicro: '0' });
    await until(world.clock, async () => (await only(lender)).state === 'disputed');
    const { lines } = (await borrower.peer.reputation.get('lender')).reputation;
    expect(lines.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['disputed', 'wrong-work']));
  });

  test('that lost a chunk says so, and a proof of it fails like a wrong one', async () => {
    const { shelf, world, lender, borrower, lease, put, prove } = await fair();
    const { id } = await lease();
    await put(id);
    for (const name of await chunksOf(shelf, id)) await shelf.remove(`storage/${id}/${name}`);
    await expect(fetched(world, borrower, 'notes.bin')).rejects.toThrow(code('NOT_FOUND'));
    await expect(prove(id)).rejects.toThrow(code('NOT_FOUND'));
    expect((await borrower.peer.market.storage.view()).leases).toMatchObject([{ failures: 1, proofs: 1 }]);
    expect([(await only(borrower)).dueMicro, (await only(lender)).dueMicro]).toEqual(['0', '0']);
  });

  test('is paid for what both signed, whatever the borrower says of it afterwards', async () => {
    const { world, lender, borrower, lease, put, prove } = await fair();
    const { id } = await lease();
    await put(id);
    world.clock.jump(limits.proveEveryMs - limits.lookMs);
    await prove(id);
    const { dueMicro } = await only(lender);
    expect(Number(dueMicro)).toBeGreaterThan(0);
    const { evidence } = await borrower.peer.market.dispute(id, 'three proofs failed', live());
    await until(world.clock, async () => (await only(lender)).state === 'disputed');
    for (const who of [lender, borrower]) expect(await only(who)).toMatchObject({ state: 'disputed', dueMicro });
    expect(checkEvidence(nobleCrypto, evidence, 0).standing).toMatchObject({ paid: BigInt(dueMicro), n: 2 });
    expect((await lender.peer.market.view()).balances).toMatchObject([{ owesMicro: `-${dueMicro}` }]);
  });

  test('gives back what was not used when its time is over, and the room a day later', async () => {
    const { world, shelf, lender, borrower, lease, put } = await fair();
    const { id } = await lease({ minutes: 1 });
    await put(id);
    world.clock.jump(60_000);
    await until(world.clock, async () => (await only(lender)).state === 'settled');
    expect(await only(borrower)).toMatchObject({ dueMicro: '0', lockedMicro: '0' });
    await world.clock.advance(limits.lookMs);
    expect(await chunksOf(shelf, id)).toHaveLength(2);
    world.clock.jump(limits.keptMs);
    await world.clock.advance(limits.lookMs);
    await until(world.clock, async () => (await chunksOf(shelf, id)).length === 0);
    expect((await lender.peer.market.storage.view()).offer?.freeBytes).toBe(8 * mib);
  });

  test('is as large as was agreed on, and no larger: each lease, and all together', async () => {
    const { lender, borrower, lease, put, shelf } = await fair({ bytes: mib, minutesMax: 60 });
    await expect(lease({ bytes: mib + 1, minutes: 60 })).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await expect(lease({ bytes: mib, minutes: 61 })).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await expect(lease({ creditsMax: '0.999999' })).rejects.toThrow(code('PRICE_TOO_HIGH'));
    const sealed = 1_000 + limits.sealBytes;
    const { id } = await lease({ bytes: sealed, minutes: 60 });
    await expect(put(id, 'large', content.subarray(0, 1_001))).rejects.toThrow(code('LIMIT_EXCEEDED'));
    expect(await chunksOf(shelf, id)).toEqual([]);
    await put(id, 'fits', content.subarray(0, 1_000));
    await expect(put(id, 'more', content.subarray(0, 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
    expect((await lender.peer.market.storage.view()).offer?.freeBytes).toBe(mib - sealed);
    await expect(lease({ bytes: mib - sealed + 1, minutes: 60 })).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await lease({ bytes: mib - sealed, minutes: 60 });
    for (const name of ['', 'x'.repeat(limits.nameCharsMax + 1)])
      await expect(put(id, name, content.subarray(0, 1))).rejects.toThrow(code('INVALID_FORMAT'));
    await expect(lender.peer.market.storage.prove(id, live())).rejects.toThrow(code('LEASE_UNKNOWN'));
    await lender.peer.market.storage.withdraw();
    await expect(lease()).rejects.toThrow(code('NOT_OFFERED'));
    await expect(lender.peer.market.storage.withdraw()).rejects.toThrow(code('NOT_OFFERED'));
    expect((await borrower.peer.market.storage.view()).leases).toHaveLength(2);
  });

  test('is found with its price, and refused to who may not lease', async () => {
    const { world, lender, borrower, lease } = await fair();
    const found = await whileTimeGoes(world.clock, borrower.peer.market.storage.offers(live()));
    expect(found.offers).toMatchObject([{ peerName: 'lender', unitPriceMicro: '1000000', freeBytes: 8 * mib }]);
    await whileTimeGoes(world.clock, lender.peer.peers.change('borrower', { allow: ['chat'] }));
    await expect(lease()).rejects.toThrow(code('NOT_GRANTED'));
  });
});
