import { createIdentity, nobleCrypto, PeerAiError, type PeerId, type Random } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { encodeStatement, type Said } from '@peerai/ledger/governance';
import { expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { createActs } from './acts.ts';
import type { RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';

test('a ballot is handed on by as many members as the limit allows; the last one brings it to the chain', async () => {
  const random = seededRandom(4);
  const someone = () => createIdentity(nobleCrypto, random.bytes(32));
  const [own, other] = [someone(), someone().peer];
  const asked: PeerId[] = [];
  const said: Said[] = [];
  const clock = new ManualClock();
  // Always the chance to hand it on.
  const lucky: Random = { bytes: (length) => new Uint8Array(length) };
  const open = (peer: PeerId): Promise<never> => {
    asked.push(peer);
    return Promise.reject(new PeerAiError('PEER_UNREACHABLE', 'away'));
  };
  const deps = {
    identity: own,
    clock,
    crypto: nobleCrypto,
    random: lucky,
    network: { self: own.peer, open },
    store: new MemoryStore(),
  };
  const acts = createActs(deps as unknown as Parameters<typeof createActs>[0]);
  const group = {
    id: 'ab'.repeat(32),
    state: () => ({ members: [own.peer, other] }),
    say: async (one: Said) => void said.push(one),
  } as unknown as RunningGroup;
  const bytes = (length: number) => new Uint8Array(length).fill(7);
  const on = 'cd'.repeat(32);
  const ballot = {
    on,
    choice: 'yes',
    token: bytes(32),
    prefix: bytes(32),
    signature: bytes(256),
    seal: bytes(64),
  } as const;
  const { body } = encodeStatement({ timeMs: 1, said: { type: 'ballot', on, ballot } });
  await acts.post(group, body, limits.ballotHopsMax - 1, live());
  expect([asked, said.length]).toEqual([[other], 1]);
  await acts.post(group, body, limits.ballotHopsMax, live());
  expect([asked, said.length]).toEqual([[other], 2]);
});
