import * as schemas from '@peerai/peer/schemas';
import type { FixtureState } from './fixture-data.ts';

/** What one may ask of a device: a ping, a session, a model made ready, every way to it. */
export function askDevice(peerId: string, verb: string | undefined): unknown {
  switch (verb) {
    case 'handshake':
      return schemas.handshakeSchema.parse({
        v: 1,
        id: '5e07c1d9-5e07-41d9-85e0-7c1d95e07c1d',
        theirId: '5e07c1d9-5e07-41d9-85e0-7c1d95e07c1d',
        peerId,
        name: 'study-pc',
        role: 'initiator',
        suite: 'aes-256-gcm',
        state: 'established',
        steps: 3,
        expiresMs: Date.now() + 3_600_000,
      });
    case 'wake':
      return schemas.wakeSchema.parse({ v: 1, id: 'w1', status: 'success', reason: 'mistral' });
    case 'trace':
      return schemas.traceSchema.parse({ v: 1, peerId, name: 'study-pc', reached: true, steps: traced, trouble: null });
    default:
      return schemas.pingSchema.parse({ v: 1, roundTripMs: 7.9, path: 'direct' });
  }
}

const traced = [
  {
    step: 'dial',
    code: 'NOBODY_LISTENS',
    address: '/ip4/192.168.1.9/tcp/4001',
    cause: 'the machine refuses',
    tookMs: 2,
  },
  { step: 'protocol', code: 'OK', address: '', cause: '', tookMs: 11 },
];

export function capabilitiesOf(peerId: string): unknown {
  return schemas.capabilitiesSchema.parse({
    v: 1,
    peerId,
    name: 'study-pc',
    agent: 'peerai/0.1.0',
    protocolVersions: ['1.1'],
    messageTypes: ['text', 'task_delegate'],
    crypto: ['ed25519_signing'],
    endpoints: [`/ip4/192.168.1.20/tcp/4001/p2p/12D3KooW${'Study'.repeat(9)}`],
    models: ['mistral'],
    taskTypes: ['prompt', 'research'],
    operators: ['Add', 'MatMul'],
    askedMs: Date.now(),
  });
}

/** To the devices that are here at once, to the others later. */
export function broadcastTo(state: FixtureState, body: unknown): unknown {
  schemas.broadcastRequestSchema.parse(body);
  const deliveries = state.peers
    .filter((peer) => peer.state !== 'blocked')
    .map(({ peerId, name, state: now }) => ({
      id: `m-${name}`,
      to: peerId,
      name,
      state: now === 'online' ? 'delivered' : 'queued',
    }));
  return schemas.broadcastSchema.parse({ v: 1, deliveries });
}

const found = { models: ['mistral'], agent: 'peerai/0.1.0', addresses: [], expiresMs: 0 };
export const foundPeers = [
  { ...found, peerId: '12D3KooWStudy', name: 'study-pc', paired: true },
  { ...found, peerId: '12D3KooWFarAway', name: '', paired: false },
];

export const openSessions = [
  {
    id: '5e07c1d9-5e07-41d9-85e0-7c1d95e07c1d',
    peerId: '12D3KooWStudy',
    name: 'study-pc',
    role: 'initiator',
    suite: 'aes-256-gcm',
    expiresMs: Date.now() + 3_600_000,
  },
];
const crawledPeer = { addresses: [], told: 3, paired: false, via: 'record' };
export const crawled = [
  { ...crawledPeer, peerId: '12D3KooWStudy', agent: 'peerai/0.1.0', state: 'reachable', via: 'link', paired: true },
  { ...crawledPeer, peerId: '12D3KooWFarAway', agent: '', state: 'unreachable' },
];
const olderPeer = { v: 1, named: true, seenMs: null };
export const olderPeers = [
  {
    ...olderPeer,
    trouble: null,
    name: 'entity-a',
    profile: 'pcp/1.0-six',
    url: 'http://127.0.0.1:9',
    peerId: '12D3KooWOld',

    allow: [] as string[],
  },
  {
    ...olderPeer,
    trouble: 'PEER_UNREACHABLE',
    name: 'entity-b',
    profile: 'pcp/0.1',
    url: null,
    peerId: '12D3KooWOlder',

    allow: [] as string[],
  },
];
export function changeOlder(name: string | undefined, body: unknown): unknown {
  const { allow } = schemas.olderPeerPatchSchema.parse(body);
  const found = olderPeers.find((peer) => peer.name === name);
  if (found !== undefined) found.allow = allow;
  return schemas.olderPeerSchema.parse(found);
}
