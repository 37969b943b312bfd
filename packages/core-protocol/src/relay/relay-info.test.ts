import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { callMethod, serveMethod } from '../rpc/index.ts';
import { createMemoryNetworks, ManualClock, seededRandom } from '../testing/index.ts';
import type { PeerId } from '../ports/index.ts';
import { type RelayAnswer, relayAnswer, relayInfoMethod } from './relay-info.ts';

const long = 'x'.repeat(limits.addressBytesMax);
const answerOf = (addresses: number): RelayAnswer => ({
  name: 'x'.repeat(limits.nameBytesMax),
  version: '0.1.0',
  pageUrl: long,
  addresses: Array.from({ length: addresses }, () => long),
});

test('a relay names so many addresses, and an answer with more is none', () => {
  const most = answerOf(limits.relayAddressesMax);
  expect(relayAnswer.decode(relayAnswer.encode(most))).toEqual(most);
  const more = relayAnswer.encode(answerOf(limits.relayAddressesMax + 1));
  expect(() => relayAnswer.decode(more)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

test('an answer is waited for so long; the longest fits its frame, which is bounded', async () => {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const [here, relay] = ['here', 'relay'] as PeerId[] as [PeerId, PeerId];
  const [network, server] = [networks.join(here), networks.join(relay)];
  const { signal } = new AbortController();
  const ask = () => callMethod({ network, clock }, relay, relayInfoMethod, {}, { signal });
  const silent = serveMethod(server, relayInfoMethod, () => new Promise(() => undefined));
  let ended: unknown;
  const asked = ask().catch((error: { readonly code: string }) => (ended = error.code));
  await clock.advance(limits.relayAnswerMs - 1);
  expect(ended).toBeUndefined();
  await clock.advance(1);
  await asked;
  expect(ended).toBe('TIMEOUT');
  silent[Symbol.dispose]();
  const most = answerOf(limits.relayAddressesMax);
  serveMethod(server, relayInfoMethod, async () => most);
  expect(await ask()).toEqual(most);
  const channel = await network.open(relay, relayInfoMethod.protocol, { signal });
  await channel.send(new Uint8Array(limits.relayAnswerBytesMax));
  await expect(channel.send(new Uint8Array(limits.relayAnswerBytesMax + 1))).rejects.toMatchObject({
    code: expect.stringMatching(/LIMIT_EXCEEDED|CHANNEL_CLOSED/) as string,
  });
});
