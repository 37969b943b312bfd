import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createSignalDevices } from './devices.ts';
import { signalLimits } from './limits.ts';

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
/** Devices, so many of which are here. */
function devices(count: number) {
  const clock = new ManualClock();
  const all = createSignalDevices(clock);
  const register = (place: number, byte = 1): unknown => {
    try {
      all.register(`d${place}`, key(byte), {});
      return 'here';
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };
  for (let place = 0; place < count; place += 1) register(place);
  return { clock, all, register };
}

test('so many devices are here, and who is here already may register anew', () => {
  const { all, register } = devices(signalLimits.devicesMax);
  expect([all.size, register(signalLimits.devicesMax), register(0)]).toEqual([
    signalLimits.devicesMax,
    'LIMIT_REACHED',
    'here',
  ]);
});

test.each([0, 1])('so many are found at once, of %i more only their number is told', (more) => {
  const { all } = devices(signalLimits.foundMax + more + 1);
  const { peers, total } = all.find('d0', { required_capabilities: [], specializations: [] });
  expect([peers.length, total]).toEqual([signalLimits.foundMax, signalLimits.foundMax + more]);
});

test('a device is gone when it has said nothing for so long, and not a millisecond before', async () => {
  const { clock, all } = devices(2);
  await clock.advance(signalLimits.silenceMs - 1);
  all.heard('d1');
  expect(all.silent()).toEqual([]);
  await clock.advance(1);
  expect(all.silent()).toEqual(['d0']);
});

test('so many names are kept for their keys, the one that left first is given away', () => {
  const { all, register } = devices(0);
  for (let place = 0; place < signalLimits.namesMax; place += 1) {
    register(place);
    all.remove(`d${place}`);
  }
  expect(register(0, 2)).toBe('NAME_TAKEN');
  register(signalLimits.namesMax);
  all.remove(`d${signalLimits.namesMax}`);
  expect([register(1, 2), register(0, 2)]).toEqual(['NAME_TAKEN', 'here']);
});
