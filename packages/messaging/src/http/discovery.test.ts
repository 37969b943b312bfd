import { createIdentity, fromBase64Url, openRecord, type PeerRecord, signRecord, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { readPcpPayload, sealConcat } from '@peerai/core-protocol/pcp';
import { expect, test } from 'vitest';
import { httpLimits } from './limits.ts';
import { contact, life, ours, sealing, six } from './testing/life.ts';

const clockMs = (await life()).clock.nowMs();
let seeds = 20;

function record(fields: Partial<PeerRecord> = {}): { bytes: Uint8Array; peer: string; key: string } {
  const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill((seeds += 1)));
  const body = { addresses: ['/ip4/198.41.0.4/tcp/4001'], name: '', sequence: 1, models: ['mistral'], agent: 'a/1' };
  const bytes = signRecord(identity, { ...body, expiresMs: clockMs + 60_000, ...fields });
  return { bytes, peer: identity.peer, key: toHex(identity.publicKey) };
}

test('a discovery message is answered with signed records; what is forged, expired or told twice is not', async () => {
  const good = record();
  const forged = record().bytes.map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte));
  const found = [forged, good.bytes, record({ expiresMs: clockMs }).bytes, good.bytes, new Uint8Array([1, 2])];
  const asked: unknown[] = [];
  const at = await life({ discover: async (names) => (asked.push(names), found) });
  const answer = await at.post('/message', six(at, 'discovery', { capability: 'mistral', limit: 5 }));
  expect(asked).toEqual([['mistral']]);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      status: 'received',
      peers: [
        {
          entity_id: good.peer,
          public_key: good.key,
          address: '/ip4/198.41.0.4/tcp/4001',
          addresses: ['/ip4/198.41.0.4/tcp/4001'],
          capabilities: ['mistral'],
          expires: (clockMs + 60_000) / 1_000,
        },
      ],
    },
  });
  const peers = answer.body['peers'] as { record: string }[];
  expect(peers).toHaveLength(1);
  expect(openRecord(nodeCrypto, fromBase64Url(peers[0]?.record ?? ''), clockMs)).toMatchObject({ peer: good.peer });
  // What is answered can be read as what may be sent.
  expect(readPcpPayload('discovery', { peers }).payload).toMatchObject({ peers: [{ entity_id: good.peer }] });
});

test('the oldest profile gets a message of its own, ours the same as the others', async () => {
  const { bytes, peer } = record();
  const device = createIdentity(nodeCrypto, new Uint8Array(32).fill(7));
  const at = await life({ discover: async () => [bytes], contacts: [contact('pcp/0.1')] });
  at.standing.set(device.peer, 'paired');
  const draft = { kind: 'discovery', senderId: 'entity-a', recipientId: 'entity-b', payload: {} };
  const old = await at.post('/v0.1/message', sealConcat(sealing(at.clock), draft));
  expect(old).toMatchObject({ status: 200 });
  const { data } = old.body['payload'] as { data: string };
  expect(JSON.parse(atob(data))).toMatchObject({ peers: [{ entity_id: peer }] });
  const mine = await at.post('/message', ours(at, device, 'discovery', {}));
  expect(mine).toMatchObject({ status: 200, body: { peers: [{ entity_id: peer }] } });
});

test('an answer names as many peers as it may, for as many capabilities, and not one more', async () => {
  const most = httpLimits.discoveryPeersMax;
  let found = Array.from({ length: most }, () => record().bytes);
  let asked: readonly string[] = [];
  const at = await life({ discover: async (names) => ((asked = names), found) });
  const names = Array.from({ length: httpLimits.discoveryNamesMax + 1 }, (_, index) => `m${index}`);
  const count = async (payload: Record<string, unknown>): Promise<number> => {
    await at.clock.advance(1);
    return ((await at.post('/message', six(at, 'discovery', payload))).body['peers'] as unknown[]).length;
  };
  expect(await count({ capabilities: names.slice(1) })).toBe(most);
  expect(asked).toEqual(names.slice(1));
  found = [...found, record().bytes];
  expect(await count({ capabilities: names })).toBe(most);
  expect(asked).toEqual(names.slice(0, -1));
  expect(await count({ limit: 3 })).toBe(3);
  expect(await count({ limit: 0 })).toBe(0);
});

test('who is not known here is told of nobody, and where nobody is looked for the kind is unknown', async () => {
  const at = await life({ discover: async () => [record().bytes], contacts: [] });
  expect((await at.post('/message', six(at, 'discovery'))).body.error?.code).toBe('UNKNOWN_SENDER');
  const without = await life();
  expect((await without.post('/message', six(without, 'discovery'))).body.error?.code).toBe('UNKNOWN_KIND');
});
