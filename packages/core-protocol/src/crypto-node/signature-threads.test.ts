import { expect, test } from 'vitest';
import { utf8 } from '../bytes.ts';
import { ManualClock, seededRandom } from '../testing/index.ts';
import { nodeCryptoLimits } from './limits.ts';
import { nodeCrypto } from './node.ts';
import type { SignedMessage } from './signature-batch.ts';
import { createSignatureThreads } from './signature-threads.ts';

const seeds = [1, 2].map((seed) => seededRandom(seed).bytes(32));
const signedBy = (seed: Uint8Array, text: string): SignedMessage => ({
  publicKey: nodeCrypto.ed25519.publicKey(seed),
  message: utf8(text),
  signature: nodeCrypto.ed25519.sign(utf8(text), seed),
});
const batch = (count: number): SignedMessage[] =>
  Array.from({ length: count }, (_, index) =>
    signedBy(seeds[index % 2] ?? new Uint8Array(), 'x'.repeat(index * 7) + index),
  );
const [first = signedBy(new Uint8Array(32), '')] = batch(1);
const wrong: readonly (readonly [string, Partial<SignedMessage>])[] = [
  ['a changed signature', { signature: first.signature.with(3, (first.signature[3] ?? 0) ^ 1) }],
  ['S not below L', { signature: first.signature.with(63, 0xff) }],
  ['another message', { message: utf8('something else') }],
  ['another key', { publicKey: nodeCrypto.ed25519.publicKey(seeds[1] ?? new Uint8Array()) }],
  ['a short signature', { signature: first.signature.subarray(1) }],
  ['a short key', { publicKey: first.publicKey.subarray(1) }],
  ['a key of small order', { publicKey: new Uint8Array(32).fill(1, 0, 1) }],
  ['a key that is no point', { publicKey: new Uint8Array(32).fill(0xff) }],
];

test('one wrong signature among many, whatever is wrong with it, is told by threads as by this one', async () => {
  const threads = createSignatureThreads({ clock: new ManualClock() }, { threads: 2 });
  try {
    expect(await threads.allHold(batch(31))).toBe(true);
    expect(await threads.allHold([])).toBe(true);
    for (const [, change] of wrong) expect(await threads.allHold([{ ...first, ...change }])).toBe(false);
    expect(threads.running).toBe(0);
    expect(await Promise.all([threads.allHold(batch(32)), threads.allHold(batch(40))])).toEqual([true, true]);
    expect(threads.running).toBe(2);
    // Many under way at once, each with its own answer.
    const asked = [...wrong, ['nothing', {}] as const];
    const answers = await Promise.all(
      asked.map(async ([, change]) => threads.allHold([...batch(20), { ...first, ...change }])),
    );
    expect(answers).toEqual(asked.map(([what]) => what === 'nothing'));
  } finally {
    await threads.stop();
  }
});

/** Message ports that keep this process alive. */
const portsHeld = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

test('threads hold no process open while they rest; they end when there was nothing to do for ten seconds, and when they are told to; the next batch starts them again', async () => {
  const clock = new ManualClock();
  const threads = createSignatureThreads({ clock }, { threads: 2 });
  const many = batch(32);
  const held = portsHeld();
  expect(await threads.allHold(many)).toBe(true);
  // The second thread had nothing to do, and may still be starting.
  await expect.poll(portsHeld, { timeout: 15_000 }).toBe(held);
  await clock.advance(nodeCryptoLimits.threadIdleMsMax - 1);
  expect(threads.running).toBe(2);
  expect(await threads.allHold(many)).toBe(true);
  await clock.advance(9_999);
  expect(threads.running).toBe(2);
  await clock.advance(1);
  expect(threads.running).toBe(0);
  const asked = threads.allHold(many);
  expect(threads.running).toBe(2);
  await threads.stop();
  await threads.stop();
  // Nobody can say of these that they hold.
  expect([await asked, threads.running]).toEqual([false, 0]);
});

test('as many threads run as were asked for, up to the limit', async () => {
  for (const [asked, running] of [
    [nodeCryptoLimits.threadsMax, nodeCryptoLimits.threadsMax],
    [nodeCryptoLimits.threadsMax + 1, nodeCryptoLimits.threadsMax],
  ] as const) {
    const threads = createSignatureThreads({ clock: new ManualClock() }, { threads: asked });
    const answer = threads.allHold(batch(nodeCryptoLimits.startAtSignatures));
    try {
      expect(threads.running).toBe(running);
    } finally {
      await threads.stop();
      await answer;
    }
  }
});
