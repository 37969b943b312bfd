import type { StepTrace } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { explain, tellingStep } from './remedies.ts';

const step = (name: StepTrace['step'], code: StepTrace['code'], address = ''): StepTrace => ({
  step: name,
  code,
  address,
  cause: '',
});

test('the step that came furthest tells most, of equal ones the first', () => {
  const [dial, late, key] = [step('dial', 'NOBODY_LISTENS'), step('dial', 'NO_ANSWER'), step('encrypt', 'WRONG_KEY')];
  expect(tellingStep([dial, key, late])).toBe(key);
  expect(tellingStep([dial, late])).toBe(dial);
  expect(tellingStep([step('dial', 'CONNECTION_LOST'), dial])).toBe(dial);
  expect(tellingStep([step('dial', 'OK'), late])).toBe(late);
  expect(tellingStep([step('protocol', 'OK')])).toBeUndefined();
  expect(tellingStep([])).toBeUndefined();
});

test('that no direct path opened is said only when nothing else failed', () => {
  const direct = step('upgrade', 'NO_DIRECT_PATH');
  expect(tellingStep([direct, step('circuit', 'RELAY_GONE')])?.code).toBe('RELAY_GONE');
  expect(tellingStep([direct])).toBe(direct);
});

test('an address is shown without its ids, a relayed one as its relay', () => {
  const circuit = '/ip4/192.0.2.9/tcp/4001/p2p/12D3R/p2p-circuit/p2p/12D3P';
  expect(explain(step('circuit', 'RELAY_GONE', circuit), 'nuc')?.reason).toBe(
    'The relay /ip4/192.0.2.9/tcp/4001 does not answer.',
  );
  expect(explain(step('dial', 'OK'), 'nuc')).toBeUndefined();
});
