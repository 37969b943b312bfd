import { fromHex, nobleCrypto, type Reservation } from '@peerai/core-protocol';
import { countersign, ledgerLimits, readReceipt } from '@peerai/ledger';
import { describe, expect, test } from 'vitest';
import { shareApiKeys } from './api-keys.ts';
import { openAdmission } from './admission.ts';
import {
  claim,
  device,
  grantOf,
  guest,
  hash,
  openScene,
  type Scene,
  shared,
  stranger,
} from '../testing/admission-scene.ts';
import { slowStore } from '../testing/slow-store.ts';

const usage = { promptTokens: 10, answerTokens: 20 };

const tokens = ({ shares, admission }: Scene) => ({
  used: shares.get('0102030405060708')?.tokensUsed,
  ...admission.running('0102030405060708'),
});
/** What a restart would find. */
const onDisk = async ({ store, clock }: Scene) => tokens(await openScene(store.copy(), clock));

/** The same in memory and for whoever opens the file next. */
async function expectCounts(scene: Scene, counts: ReturnType<typeof tokens>): Promise<void> {
  expect(tokens(scene)).toEqual(counts);
  expect(await onDisk(scene)).toEqual(counts);
}

describe('a reservation', () => {
  test('holds its tokens until it is settled, and then costs what was used', async () => {
    const scene = await shared();
    const reserved = await scene.admission.reserve(claim(scene.one, 'a', 60));
    expect([reserved.units, tokens(scene)]).toEqual([60, { used: 0, reserved: 60, active: 1 }]);
    const half = await reserved.settle(usage, hash('work'));
    expect(readReceipt(half)).toMatchObject({ promptTokens: 10, answerTokens: 20, consumer: guest.peer });
    await expectCounts(scene, { used: 30, reserved: 0, active: 0 });
  });

  test('that is claimed early holds at once, and says when it is on disk', async () => {
    const scene = await shared();
    const { clock, one } = scene;
    const admission = await openAdmission({ ...scene.deps, store: slowStore(scene.store, clock, 20) });
    const early = await admission.reserve({ ...claim(one, 'a', 60), early: true });
    let durable = false;
    void early.durable?.then(() => (durable = true));
    // Whoever comes next is judged after it.
    const second = admission.reserve(claim(one, 'b', 60));
    expect([early.units, admission.running(one.id).reserved, (await onDisk(scene)).reserved]).toEqual([60, 60, 0]);
    await clock.advance(19);
    expect(durable).toBe(false);
    await clock.advance(1);
    expect(durable).toBe(true);
    expect((await clock.until(second)).units).toBe(40);
    await clock.until(early.settle(usage, hash('work')));
    expect(admission.running(one.id)).toEqual({ reserved: 40, active: 1 });
  });

  test('gets no more than what others left, and parallel ones together never more than the budget', async () => {
    const scene = await shared();
    const both = await Promise.all([
      scene.admission.reserve(claim(scene.one, 'a', 80)),
      scene.admission.reserve(claim(scene.one, 'b', 80)),
    ]);
    expect(both.map(({ units }) => units)).toEqual([80, 20]);
    await expect(scene.admission.reserve(claim(scene.one, 'c', 1))).rejects.toMatchObject({ code: 'TOO_MANY' });
    for (const [place, one] of both.entries())
      await one.settle({ promptTokens: 500, answerTokens: 500 }, hash(`${place}`));
    await expectCounts(scene, { used: 100, reserved: 0, active: 0 });
  });

  test.each([
    ['more than was reserved', { promptTokens: 41, answerTokens: 20 }, [40, 20]],
    ['an answer above all', { promptTokens: 5, answerTokens: 61 }, [0, 60]],
    ['parts of tokens', { promptTokens: 1.4, answerTokens: 2.6 }, [1, 3]],
    ['nonsense', { promptTokens: Number.NaN, answerTokens: -5 }, [0, 0]],
    ['the exact limit', { promptTokens: 40, answerTokens: 20 }, [40, 20]],
  ])(
    'settled with %s charges whole tokens within it, and the receipt says the same',
    async (_, counted, [prompt, answer]) => {
      const scene = await shared();
      const half = await (await scene.admission.reserve(claim(scene.one, 'a', 60))).settle(counted, hash('work'));
      expect(readReceipt(half)).toMatchObject({ promptTokens: prompt, answerTokens: answer });
      expect(tokens(scene).used).toBe((prompt ?? 0) + (answer ?? 0));
    },
  );

  test('is given back when it is released, once, and then settles no more', async () => {
    const scene = await shared();
    const reserved = await scene.admission.reserve(claim(scene.one, 'a', 60));
    await reserved.release();
    await reserved.release();
    await expect(reserved.settle(usage, hash('work'))).rejects.toMatchObject({ code: 'REFUSED' });
    await expectCounts(scene, { used: 0, reserved: 0, active: 0 });
    expect(scene.told.at(-1)?.tokensUsed).toBe(0);
  });

  test('left behind by a process that died is given back at the next start', async () => {
    const scene = await shared();
    await scene.admission.reserve(claim(scene.one, 'a', 100));
    expect(await onDisk(scene)).toEqual({ used: 0, reserved: 0, active: 0 });
    const again = await openScene(scene.store.reopen(), scene.clock);
    const rows: string[] = [];
    for await (const { key } of scene.store.room('admission').range('reserved/', 'reserved0')) rows.push(key);
    expect(rows).toEqual([]);
    expect((await again.admission.reserve(claim(scene.one, 'b', 100))).units).toBe(100);
  });
});

const adoptDevice = ({ devices }: Scene) =>
  devices.update(device.peer, () => ({
    peer: device.peer,
    name: 'd',
    allow: ['chat'],
    blocked: false,
    lease: '00ff',
    pairedMs: 0,
    lastSeenMs: 0,
    addresses: [],
  }));

describe('a request id that comes twice', () => {
  test('runs once: the second is refused while the first goes on, and its settlement is charged once', async () => {
    const scene = await shared();
    const first = await scene.admission.reserve(claim(scene.one, 'a', 60));
    await expect(scene.admission.reserve(claim(scene.one, 'a', 60))).rejects.toMatchObject({ code: 'REFUSED' });
    expect(tokens(scene)).toEqual({ used: 0, reserved: 60, active: 1 });
    const halves = await Promise.all([first.settle(usage, hash('work')), first.settle(usage, hash('work'))]);
    expect(halves[0]).toEqual(halves[1]);
    await expectCounts(scene, { used: 30, reserved: 0, active: 0 });
  });

  test('is refused before any work while the receipt of the first waits for its signature', async () => {
    const scene = await shared();
    await adoptDevice(scene);
    const ask = { peer: device.peer, requestId: 'a', resource: 'model:echo', units: 60 };
    await (await scene.admission.reserve(ask)).settle(usage, hash('work'));
    await expect(scene.admission.reserve(ask)).rejects.toMatchObject({ code: 'REFUSED' });
  });

  test('is refused for another model, so that the right to one opens no other', async () => {
    const scene = await shared();
    await scene.admission.reserve(claim(scene.one, 'a', 60));
    const other = { ...claim(scene.one, 'a', 60), resource: 'model:secret' };
    await expect(scene.admission.reserve(other)).rejects.toMatchObject({ code: 'REFUSED' });
    const { grant: _, ...bare } = other;
    await expect(scene.admission.reserve({ ...bare, peer: stranger.peer })).rejects.toMatchObject({
      code: 'NOT_GRANTED',
    });
  });
});

describe('when the disk refuses', () => {
  test('a reservation that was claimed early says so, is given back, and can no longer be settled', async () => {
    const scene = await shared();
    scene.store.failNextCommit('STORE_FULL');
    const early = await scene.admission.reserve({ ...claim(scene.one, 'a', 60), early: true });
    await expect(early.durable).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expectCounts(scene, { used: 0, reserved: 0, active: 0 });
    await expect(early.settle(usage, hash('work'))).rejects.toMatchObject({ code: 'REFUSED' });
    await early.release();
  });

  test('a claim without a right is refused before anything begins, early or not', async () => {
    const scene = await shared();
    const early = { ...claim(scene.one, 'a', 60, stranger), grant: grantOf(scene.one, guest), early: true };
    await expect(scene.admission.reserve(early)).rejects.toMatchObject({ code: 'TICKET_INVALID' });
  });

  test('a reservation is not there, neither here nor after a restart', async () => {
    const scene = await shared();
    scene.store.failNextCommit('STORE_FULL');
    await expect(scene.admission.reserve(claim(scene.one, 'a', 60))).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expectCounts(scene, { used: 0, reserved: 0, active: 0 });
    expect(scene.shares.get(scene.one.id)?.guests).toEqual({});
  });

  test('a settlement changes nothing, may be tried again, and then counts once', async () => {
    const scene = await shared();
    const reserved = await scene.admission.reserve(claim(scene.one, 'a', 60));
    scene.store.failNextCommit('STORE_FULL');
    await expect(reserved.settle(usage, hash('work'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(tokens(scene)).toEqual({ used: 0, reserved: 60, active: 1 });
    await reserved.settle(usage, hash('work'));
    await expectCounts(scene, { used: 30, reserved: 0, active: 0 });
  });

  test('a stop is not believed', async () => {
    const scene = await shared();
    scene.store.failNextCommit('STORE_FULL');
    const stopped = scene.shares.update(scene.one.id, (now) => ({ ...now, stoppedMs: 1 }));
    await expect(stopped).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(scene.shares.get(scene.one.id)?.stoppedMs).toBeUndefined();
  });
});

describe('a right that is taken away', () => {
  const adopt = ({ devices }: Scene, blocked: boolean, allow: readonly 'chat'[] = ['chat']) =>
    devices.update(device.peer, () => ({
      peer: device.peer,
      name: 'd',
      allow,
      blocked,
      lease: '00ff',
      pairedMs: 0,
      lastSeenMs: 0,
      addresses: [],
    }));
  const bare = { peer: device.peer, requestId: 'a', resource: 'model:echo', units: 60 };
  const codeOf = ({ revoked }: Reservation): unknown => (revoked.reason as { code?: string } | undefined)?.code;

  test('ends what runs: a block all of it, a removal what the pairing gave', async () => {
    const scene = await shared();
    await adopt(scene, false);
    const [paired, invited] = [
      await scene.admission.reserve(bare),
      await scene.admission.reserve(claim(scene.one, 'b', 10)),
    ];
    await adopt(scene, false, []);
    scene.admission.revoke({ peer: device.peer });
    expect([codeOf(paired), codeOf(invited)]).toEqual(['NOT_GRANTED', undefined]);
    scene.admission.revoke({ share: scene.one.id });
    expect(codeOf(invited)).toBe('TICKET_REVOKED');
    await paired.release();
    await adopt(scene, false);
    const again = await scene.admission.reserve(bare);
    await adopt(scene, true);
    scene.admission.revoke({ peer: device.peer });
    expect(codeOf(again)).toBe('PEER_BLOCKED');
    await expect(scene.admission.reserve({ ...bare, requestId: 'c' })).rejects.toMatchObject({ code: 'PEER_BLOCKED' });
  });

  test('of who is refused for what it did ends what runs, and nothing begins, with a ticket neither', async () => {
    const scene = await shared();
    await adopt(scene, false);
    const bare = { peer: device.peer, requestId: 'd', resource: 'model:echo', units: 10 };
    const running = await scene.admission.reserve(bare);
    for (const { peer } of [device, guest]) scene.refused.add(peer);
    scene.admission.revoke({ peer: device.peer });
    expect(codeOf(running)).toBe('PEER_BLOCKED');
    const asks = [{ ...bare, requestId: 'e' }, claim(scene.one, 'f', 60)];
    for (const ask of asks) await expect(scene.admission.reserve(ask)).rejects.toMatchObject({ code: 'PEER_BLOCKED' });
  });

  test('while the disk still writes the reservation ends that answer too', async () => {
    const scene = await shared();
    const reserving = scene.admission.reserve(claim(scene.one, 'a', 60));
    while (tokens(scene).active === 0) await Promise.resolve();
    scene.admission.revoke({ share: scene.one.id });
    expect(codeOf(await reserving)).toBe('TICKET_REVOKED');
  });

  test('is asked for in vain by a device that let as many receipts lie as may be open', async () => {
    const scene = await shared();
    await adopt(scene, false);
    for (let count = 0; count < ledgerLimits.pendingReceiptsMax; count += 1) {
      await (await scene.admission.reserve({ ...bare, requestId: `${count}` })).settle(usage, hash('work'));
    }
    expect(await scene.receipts.unsigned(device.peer, fromHex('00ff'))).toHaveLength(ledgerLimits.pendingReceiptsMax);
    await expect(scene.admission.reserve({ ...bare, requestId: 'more' })).rejects.toMatchObject({
      code: 'RECEIPT_UNSIGNED',
    });
  });
});

test('a guest that owes a signature waits alone: others are let in meanwhile', async () => {
  const scene = await shared();
  await (
    await scene.admission.reserve(claim(scene.one, 'a', 10))
  ).settle({ promptTokens: 1, answerTokens: 1 }, hash('work'));
  const owing = scene.admission.reserve(claim(scene.one, 'b', 10));
  owing.catch(() => undefined);
  const other = await scene.admission.reserve(claim(scene.one, 'c', 10, stranger));
  expect([other.units, scene.clock.elapsedMs()]).toEqual([10, 0]);
  await expect(scene.clock.until(owing)).rejects.toMatchObject({ code: 'RECEIPT_UNSIGNED' });
  expect(scene.clock.pending).toBe(0);
});

test('a client with an API key owes no signature: its answers are booked, one after the other, and no receipt is made', async () => {
  const scene = await shared();
  const grant = shareApiKeys({ ...scene.deps, nowMs: () => scene.clock.nowMs() })(scene.one.secret, guest.peer);
  expect(grant).toBeDefined();
  for (const requestId of ['a', 'b']) {
    const one = await scene.admission.reserve({
      ...claim(scene.one, requestId, 30),
      ...(grant === undefined ? {} : { grant }),
    });
    expect(await one.settle(usage, hash('work'))).toHaveLength(0);
  }
  expect(scene.shares.get(scene.one.id)?.tokensUsed).toBe(60);
  expect(await scene.receipts.owes(guest.peer, fromHex(scene.one.id))).toBe(false);
});

test('a wrong API key stands for nothing, and a proof made here does not fit another peer', async () => {
  const scene = await shared();
  const keys = shareApiKeys({ ...scene.deps, nowMs: () => scene.clock.nowMs() });
  expect(keys('00'.repeat(16), guest.peer)).toBeUndefined();
  const grant = keys(scene.one.secret, guest.peer) ?? new Uint8Array();
  await expect(scene.admission.reserve({ ...claim(scene.one, 'a', 10, stranger), grant })).rejects.toMatchObject({
    code: 'TICKET_INVALID',
  });
});

test('a signature that comes within its moment lets the next answer in at once, and leaves no timer', async () => {
  const scene = await shared();
  const half = await (
    await scene.admission.reserve(claim(scene.one, 'a', 10))
  ).settle({ promptTokens: 1, answerTokens: 1 }, hash('work'));
  const next = scene.admission.reserve(claim(scene.one, 'b', 10));
  await scene.clock.advance(100);
  const facts = { ...readReceipt(half), promptTokensMax: 1, answerTokensMax: 1 };
  await scene.receipts.complete(countersign({ crypto: nobleCrypto, identity: guest }, half, undefined, facts));
  expect((await next).units).toBe(10);
  expect([scene.clock.elapsedMs(), scene.clock.pending]).toEqual([100, 0]);
});
