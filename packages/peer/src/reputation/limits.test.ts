import { nobleCrypto, type PeerId, serveMethod } from '@peerai/core-protocol';
import { memoryWorld, MemoryStore } from '@peerai/core-protocol/testing';
import { noStanding, type Opinion, reputationLimits } from '@peerai/ledger/reputation';
import { expect, test } from 'vitest';
import { records } from '../store/records.ts';
import { standingLimits as limits } from './limits.ts';
import { openOpinions } from './opinions.ts';
import { reputationMethod } from './reputation-protocol.ts';
import { openReputationRoom, type ReputationRoomDeps } from './reputation-room.ts';
import { openStandings } from './standings.ts';

const peer = (place: number): PeerId => `peer-${`${place}`.padStart(4, '0')}` as PeerId;
const places = (count: number): number[] => Array.from({ length: count }, (_, place) => place);

test('one peer more than are kept takes the place of the one that was quiet longest, those refused last', async () => {
  const room = new MemoryStore().room('reputation');
  const rows = records(room, 'peer');
  const refusal = { deed: 'lie', strikes: 1, sinceMs: 0, untilMs: 3_600_000 };
  await room.commit(
    places(limits.peersKeptMax - 1).map((place) =>
      rows.put(peer(place), { standing: { ...noStanding, atMs: place }, ...(place === 0 ? { refusal } : {}) }),
    ),
  );
  const standings = await openStandings(room);
  const come = (place: number) => standings.note(peer(place), { id: `${place}`, deed: 'answered', timeMs: 9_000_000 });
  await come(2_000);
  expect([standings.peers().length, standings.peers().includes(peer(1))]).toEqual([limits.peersKeptMax, true]);
  await come(2_001);
  expect(standings.peers()).toHaveLength(limits.peersKeptMax);
  expect([0, 1, 2, 2_001].map((place) => standings.peers().includes(peer(place)))).toEqual([true, false, true, true]);
  expect((await openStandings(room)).peers().toSorted()).toEqual(standings.peers().toSorted());
});

test('one teller more than are kept takes the place of the one that spoke longest ago', async () => {
  const room = new MemoryStore().room('reputation');
  const opinions = await openOpinions(room);
  const subject = 'of whom they speak' as PeerId;
  const by = (place: number): Opinion => ({ teller: peer(place), subject, score: 0, good: 0, bad: 1, timeMs: place });
  for (const place of places(limits.tellersMax + 1)) {
    await opinions.replace(peer(place), [by(place)]);
    expect(opinions.about(subject)).toHaveLength(Math.min(place + 1, limits.tellersMax));
  }
  const tellers = opinions.about(subject).map(({ teller }) => teller);
  expect([tellers.includes(peer(0)), tellers.includes(peer(1))]).toEqual([false, true]);
  await opinions.replace(peer(1), []);
  expect((await openOpinions(room)).about(subject)).toHaveLength(limits.tellersMax - 1);
});

test('a question is about so many and no more, and the fullest answer fits its message', () => {
  const { request, response, protocol } = reputationMethod;
  const subjects = (count: number) => places(count).map(() => new Uint8Array(32));
  const asked = (count: number) => request.decode(request.encode({ version: 1, subjects: subjects(count) }));
  expect(asked(limits.subjectsMax).subjects).toHaveLength(limits.subjectsMax);
  expect(() => asked(limits.subjectsMax + 1)).toThrow();
  const fullest = subjects(limits.subjectsMax).map(() => new Uint8Array(reputationLimits.opinionBytesMax));
  expect(response.encode({ opinions: fullest }).length).toBeLessThan(protocol.messageBytesMax);
});

/** A peer with one device that it trusts somewhat, and others that only have names; how often that one was asked is counted. */
async function trusting() {
  const stopping = new AbortController();
  const own = memoryWorld({ seed: 1, crypto: nobleCrypto });
  const { clock, networks } = own;
  const { identity, network } = memoryWorld({ seed: 2, crypto: nobleCrypto, clock, networks, isGranted: () => true });
  const others = [3, 4].map((seed) => memoryWorld({ seed, clock, networks }).identity.peer);
  let asked = 0;
  serveMethod(network, reputationMethod, async () => {
    asked += 1;
    return { opinions: [] };
  });
  const devices = [identity.peer, ...others].map((one) => ({ peer: one, blocked: false }));
  const room = await openReputationRoom({
    ...own,
    store: own.store.room('reputation'),
    devices: {
      list: () => devices,
      get: (one: PeerId) => devices.find((device) => device.peer === one),
      find: (text: string) => devices.find((device) => device.peer === text),
    },
    nameOf: (one: PeerId) => one,
    isOnline: (one: PeerId) => one === identity.peer,
    stopping: stopping.signal,
  } as unknown as ReputationRoomDeps);
  for (const place of places(reputationLimits.dayUnitsMax)) await room.note(identity.peer, 'answered', `${place}`);
  const times = (one: PeerId) => room.get(one).lines.find(({ reason }) => reason === 'answered')?.times;
  return { clock, room, device: identity.peer, others, times, asked: () => asked, stop: () => stopping.abort() };
}

test('a deed told twice counts once, for as many deeds as are remembered', async () => {
  const { room, others, times } = await trusting();
  const [one = peer(1), other = peer(2)] = others;
  await room.note(one, 'answered', 'x');
  for (const place of places(limits.idsKeptMax - 1)) await room.note(other, 'answered', `${place}`);
  await room.note(one, 'answered', 'x');
  expect(times(one)).toBe(1);
  await room.note(other, 'answered', 'one more');
  await room.note(one, 'answered', 'x');
  expect([times(one), times(other)]).toEqual([2, limits.idsKeptMax]);
});

test('a device is asked what it thinks when it says hello, and again after so long, by itself too', async () => {
  const { clock, room, device, asked, stop } = await trusting();
  const met = async () => {
    await clock.until(room.met(device));
    return asked();
  };
  expect([await met(), await met()]).toEqual([1, 1]);
  await clock.advance(limits.askEveryMs - 1);
  expect(await met()).toBe(1);
  await clock.advance(1);
  expect(await met()).toBe(2);
  const running = room.run();
  await clock.advance(limits.askEveryMs - 1);
  expect(asked()).toBe(2);
  await clock.advance(1);
  expect(asked()).toBe(3);
  stop();
  await running;
});
