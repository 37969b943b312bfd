import type { PeerId } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { asked, asking, codeOf, never, pair, said, wire } from '../../test/session-world.ts';
import type { SessionAsk } from './dialer.ts';
import { sessionRoomLimits } from './limits.ts';
import { readExchange } from './wire.ts';

const clock = new ManualClock();
const answersOf = async (door: ReturnType<typeof asked>['door'], bodies: readonly Uint8Array[]): Promise<string[]> => {
  const answers: string[] = [];
  for (const body of bodies) answers.push(said(await door.take(body, never))?.code ?? 'taken');
  return answers;
};

describe('Of what a door and a dialer hold, the oldest goes for one more than their bound', () => {
  it('sessions of all', async () => {
    const there = asked(clock, { bounds: { openMax: 3 } });
    const peers: PeerId[] = [];
    for (let count = 0; count < 4; count += 1) {
      const here = asking(clock);
      peers.push(here.identity.peer);
      await here.dialer.handshake(there.identity.peer, 'three', wire(there.door).ask, never);
      expect(there.door.list().map(({ peer }) => peer)).toEqual(peers.slice(-3));
    }
  });

  it('sessions of one peer', async () => {
    const { there, here, to, ask } = pair();
    const ids: string[] = [];
    for (let count = 0; count <= sessionRoomLimits.openPerPeerMax; count += 1) {
      ids.push((await here.dialer.handshake(to, 'three', ask, never)).id);
      expect(there.door.list().map(({ id }) => id)).toEqual(ids.slice(-sessionRoomLimits.openPerPeerMax));
    }
  });

  it('handshakes that wait', async () => {
    const there = asked(clock, { bounds: { halfOpenMax: 2 } });
    const confirms: Uint8Array[] = [];
    const holding: SessionAsk = async (body, signal) => {
      if (readExchange(body).session === undefined) return wire(there.door).ask(body, signal);
      confirms.push(body);
      return { status: 502, body: new Uint8Array() };
    };
    for (let count = 0; count < 3; count += 1) {
      await codeOf(asking(clock).dialer.handshake(there.identity.peer, 'three', holding, never));
    }
    expect(await answersOf(there.door, confirms)).toEqual(['INVALID_STATE', 'taken', 'taken']);
  });

  it('sessions of ours', async () => {
    const here = asking(clock, { bounds: { dialedMax: 2 } });
    const dialed: PeerId[] = [];
    for (let count = 0; count < 3; count += 1) {
      const there = asked(clock);
      dialed.push(there.identity.peer);
      await here.dialer.handshake(there.identity.peer, 'three', wire(there.door).ask, never);
      expect(here.dialer.list().map(({ peer }) => peer)).toEqual(dialed.slice(-2));
    }
  });
});

it.each([
  [sessionRoomLimits.carryTriesMax - 1, 'taken'],
  [sessionRoomLimits.carryTriesMax, 'SESSION_EXPIRED'],
])('A letter that %i new sessions lose is %s', async (losses, end) => {
  const { there, here, to, row } = pair();
  let lost = 0;
  const forgetful: SessionAsk = async (body, signal) => {
    const isLost = readExchange(body).frame !== undefined && lost < losses;
    if (isLost) lost += 1;
    // A door that was just opened knows no session.
    return wire(isLost ? there.again() : there.door).ask(body, signal);
  };
  expect(await codeOf(here.dialer.carry(to, row, forgetful, never))).toBe(end);
  expect(lost).toBe(losses);
});
