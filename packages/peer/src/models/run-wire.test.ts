import { type PeerId, type Protocol } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { modelLimits as limits } from './limits.ts';
import { inferMethod, offeredMethod } from './run-wire.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const value = (name: string) => ({ name, type: 'float32', shape: ['rows', 3] as (string | number)[] });
const model = { name: 'signs', bytes: 1, inputs: [value('x')], outputs: [value('y')] };
const isTold = (change: Partial<typeof model>) => {
  const json = new TextEncoder().encode(JSON.stringify({ models: [{ ...model, ...change }] }));
  try {
    return offeredMethod.response.decode(json).models.length === 1;
  } catch {
    return false;
  }
};

test.each<readonly [string, number, (count: number) => boolean]>([
  [
    'inputs',
    limits.offeredValuesMax,
    (count) => isTold({ inputs: Array.from({ length: count }, (_, at) => value(`x${at}`)) }),
  ],
  [
    'outputs',
    limits.offeredValuesMax,
    (count) => isTold({ outputs: Array.from({ length: count }, (_, at) => value(`y${at}`)) }),
  ],
  [
    'characters of a value’s name',
    limits.offeredNameCharsMax,
    (count) => isTold({ inputs: [value('x'.repeat(count))] }),
  ],
  [
    'characters of a side’s name',
    limits.offeredNameCharsMax,
    (count) => isTold({ outputs: [{ ...value('y'), shape: ['r'.repeat(count)] }] }),
  ],
])('of a model elsewhere %s are read up to %i', (_, most, isRead) => {
  expect([isRead(most), isRead(most + 1)]).toEqual([true, false]);
});

test('the receipt of a run has `runReceiptCharsMax` characters, and not one more', () => {
  const answer = (chars: number) => {
    const outputs = { y: { type: 'float32', shape: [1], data: [1] } };
    const ran = { v: 1, model: 'signs', outputs, tookMs: 1, receipt: 'r'.repeat(chars) };
    return inferMethod.response.decode(new TextEncoder().encode(JSON.stringify(ran))).receipt.length;
  };
  expect(answer(limits.runReceiptCharsMax)).toBe(limits.runReceiptCharsMax);
  expect(() => answer(limits.runReceiptCharsMax + 1)).toThrow(code('INVALID_FORMAT'));
});

/** Messages as long as they may be go through; one byte more is refused. */
async function takes(protocol: Protocol, bytesMax: number): Promise<void> {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  const [here, there] = ['a', 'b'].map((name) => networks.join(name as PeerId, { isGranted: () => true }));
  const arrived: number[] = [];
  there?.answer(protocol, async (channel) => {
    for await (const message of channel) arrived.push(message.length);
  });
  const channel = await here?.open('b' as PeerId, protocol, { signal: live() });
  await channel?.send(new Uint8Array(bytesMax));
  await expect(channel?.send(new Uint8Array(bytesMax + 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
  expect(arrived).toEqual([bytesMax]);
}

test('what a device is told has `offeredBytesMax` bytes', async () =>
  takes(offeredMethod.protocol, limits.offeredBytesMax));
