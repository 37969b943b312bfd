import { nobleCrypto } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { gatewayKeyLimits as limits, openGatewayKeys } from './gateway-keys.ts';

function world(store = new MemoryStore()) {
  const clock = new ManualClock();
  const open = () => openGatewayKeys({ store, crypto: nobleCrypto, random: seededRandom(1), clock });
  return { store, clock, open };
}
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

test('a key holds over a restart, and its text is nowhere on the disk', async () => {
  const { store, open } = world();
  const { key = '' } = await (await open()).make('tool');
  expect(key).toMatch(/^pk-[\w-]{43}$/);
  const again = await open();
  expect(again.isValid(key)).toBe(true);
  expect(again.isValid(`${key}x`)).toBe(false);
  expect(again.list()).toMatchObject([{ name: 'tool' }]);
  for await (const { value } of store.room('gateway-keys').range('', '\u{10FFFF}')) {
    expect(new TextDecoder().decode(value)).not.toContain(key.slice(3));
  }
});

test('a revoked key is refused before the disk has it, and a use at that moment does not bring it back', async () => {
  const { clock, open } = world();
  const keys = await open();
  const { key = '' } = await keys.make('tool');
  await clock.advance(120_000);
  const revoking = keys.revoke('tool');
  expect(keys.isValid(key)).toBe(false);
  await revoking;
  expect((await open()).isValid(key)).toBe(false);
  await expect(keys.revoke('tool')).rejects.toThrow(code('KEY_UNKNOWN'));
});

test('a name is taken once, at the same moment too', async () => {
  const keys = await world().open();
  const made = await Promise.allSettled([keys.make('tool'), keys.make('tool')]);
  expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await expect(keys.make('tool')).rejects.toThrow(code('KEY_EXISTS'));
});

test('there are at most `keysMax` keys, and a revoked one makes room', async () => {
  const keys = await world().open();
  for (let count = 0; count < limits.keysMax; count += 1) await keys.make(`key-${count}`);
  await expect(keys.make('one-more')).rejects.toThrow(code('LIMIT_REACHED'));
  await keys.revoke('key-7');
  await keys.make('one-more');
});

test('the time of last use is remembered, to the minute', async () => {
  const { clock, open } = world();
  const keys = await open();
  const { key = '' } = await keys.make('tool');
  expect(keys.list()).toMatchObject([{ lastUsedMs: null }]);
  await clock.advance(90_000);
  keys.isValid(key);
  await clock.advance(1);
  expect((await open()).list()).toMatchObject([{ lastUsedMs: clock.nowMs() - 1 }]);
});

test('a key in steady use is written down every `usedEveryMs`, not a millisecond before', async () => {
  const { clock, open } = world();
  const keys = await open();
  const { key = '' } = await keys.make('tool');
  const kept = async () => (await open()).list()[0]?.lastUsedMs;
  const use = async (ms: number) => {
    await clock.advance(ms);
    keys.isValid(key);
    await clock.advance(0);
  };
  await use(1);
  const firstMs = clock.nowMs();
  await use(limits.usedEveryMs / 2);
  await use(limits.usedEveryMs / 2 - 1);
  expect(await kept()).toBe(firstMs);
  await use(1);
  expect(await kept()).toBe(firstMs + limits.usedEveryMs);
  expect(keys.list()).toMatchObject([{ lastUsedMs: clock.nowMs() }]);
});
