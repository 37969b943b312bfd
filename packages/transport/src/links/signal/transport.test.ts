import type { Listener, Upgrader } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { ManualClock, settle, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { Components } from '../../libp2p/components.ts';
import { limits } from './limits.ts';
import type { Meeting } from './meeting.ts';
import type { SignalDescription } from './message.ts';
import type { SignalWire } from './signalling.ts';
import { signalAddress, signalTransport } from './transport.ts';

const peer = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA';
const forComponent = () => Object.assign(() => undefined, { error: () => undefined, trace: () => undefined });

/** A node at a relay whose meetings are made but never come up, and what it said there. */
async function node() {
  const clock = new ManualClock();
  const said: [device: string, SignalDescription][] = [];
  const open: { readonly added: string[]; isClosed: boolean }[] = [];
  const signalling = {
    heard: new Set<(from: string, description: SignalDescription) => void>(),
    missed: new Set<(device: string) => void>(),
    deviceOf: () => ({ deviceId: 'other' }),
    describe: (device: string, description: SignalDescription) => void said.push([device, description]),
  };
  const meet = async (candidates: readonly string[]): Promise<Meeting> => {
    const one = { added: [] as string[], isClosed: false };
    open.push(one);
    return {
      sdp: 'sdp',
      candidates,
      taken: async () => undefined,
      add: (candidate) => void one.added.push(candidate),
      opened: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
      close: () => void (one.isClosed = true),
    };
  };
  const candidates = Array.from({ length: limits.candidatesMax + 1 }, (_, place) => `candidate ${place}`);
  const meetings = { offer: () => meet(candidates), answer: () => meet([]) };
  const wire = signalling as unknown as SignalWire;
  const transport = signalTransport({ signalling: wire, meetings, clock, logger: silentLogger })({
    logger: { forComponent },
  } as unknown as Components);
  const upgrader = {} as Upgrader;
  const listener: Listener = transport.createListener({ upgrader });
  await listener.listen(multiaddr(signalAddress));
  const hear = (from: string, description: SignalDescription): void => {
    for (const one of signalling.heard) one(from, description);
  };
  const dial = (signal: AbortSignal) => transport.dial(multiaddr(`${signalAddress}/p2p/${peer}`), { signal, upgrader });
  return { clock, said, open, listener, hear, dial };
}
const offer = { type: 'offer', sdp: 'sdp' } as const;

test('so many offers are answered at the same time, the next when one of them is over', async () => {
  const { clock, said, hear, listener } = await node();
  const answered = (): readonly string[] => said.map(([device]) => device);
  const devices = Array.from({ length: limits.answersMax }, (_, place) => `device ${place}`);
  for (const device of devices) hear(device, offer);
  await settle();
  expect(answered()).toEqual(devices);
  hear('one more', offer);
  await settle();
  expect(answered()).toEqual(devices);
  await clock.advance(limits.connectMs - 1);
  hear('one more', offer);
  await clock.advance(0);
  expect(answered()).toEqual(devices);
  await clock.advance(1);
  hear('one more', offer);
  await settle();
  expect(answered()).toEqual([...devices, 'one more']);
  await listener.close();
});

test('a device that offers again and again has one answer under way', async () => {
  const { open, hear, listener } = await node();
  for (let count = 0; count < 3; count += 1) {
    hear('device', offer);
    await settle();
  }
  expect(open.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
  await listener.close();
  await settle();
  expect(open.every(({ isClosed }) => isClosed)).toBe(true);
});

test('so many candidates of one description are used, of others and of ours', async () => {
  const { clock, said, open, hear, dial, listener } = await node();
  hear('device', offer);
  for (let place = 0; place <= limits.candidatesMax; place += 1)
    hear('device', { type: 'candidate', candidate: `theirs ${place}` });
  await settle();
  expect(open[0]?.added).toHaveLength(limits.candidatesMax);
  said.length = 0;
  const dialled = dial(new AbortController().signal).catch((error: { readonly code: string }) => error.code);
  await settle();
  hear('other', { type: 'answer', sdp: 'sdp' });
  await settle();
  expect(said.filter(([, { type }]) => type === 'candidate')).toHaveLength(limits.candidatesMax);
  await clock.advance(limits.connectMs);
  expect(await dialled).toBe('TIMEOUT');
  await listener.close();
});

test('an answer is waited for so long', async () => {
  const { clock, dial, listener } = await node();
  let ended: unknown;
  const dialled = dial(new AbortController().signal).catch((error: { readonly code: string }) => (ended = error.code));
  await clock.advance(limits.offerMs - 1);
  expect(ended).toBeUndefined();
  await clock.advance(1);
  await dialled;
  expect(ended).toBe('TIMEOUT');
  await listener.close();
});
