import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createIdentity, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealSix, splitTransfer } from '@peerai/core-protocol/pcp';
import { ManualClock } from '@peerai/core-protocol/testing';
import { pair } from '@peerai/testnet';
import { afterAll, expect, test } from 'vitest';
import { ownAgents, type OwnAgent, type Settings } from './own-agents.ts';

const agents = ownAgents();
afterAll(() => agents.stop());

const random = { bytes: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };
const content = randomBytes(10_485_760);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const settings = (name: string, more: Record<string, object> = {}): Settings => ({
  llm: { engines: ['scripted'] },
  api: { port: 0 },
  http: { port: 0, ...more['http'] },
  network: { name, listen_address: '127.0.0.1:0', discovery: { mdns: false }, ...more['network'] },
});
/** No way to connect that both have. */
const only = (kind: string) => ({
  transports: { tcp: false, websocket: false, webrtc: false, quic: false, [kind]: true },
});
const arrived = async ({ client }: OwnAgent) => {
  const { files } = await client.files();
  return files.map(({ state, way, bytes, path }) => [state, way, bytes, sha256Of(readFileSync(path ?? ''))]);
};

test(
  '10 MiB go by HTTP where no link leads, over kill -9 of both sides, and arrive equal and once',
  { timeout: 180_000 },
  async () => {
    let a = await agents.start('files-a', settings('a'));
    let b = await agents.start('files-b', settings('b'));
    await pair(a, b);
    a = await a.again(settings('a', { network: only('tcp') }));
    const http = { port: Number(new URL(b.info.http).port) };
    b = await b.again(settings('b', { network: only('websocket'), http }));
    const sent = await a.client.sendFile('b', 'big.bin', new Blob([content]));
    expect(sent).toMatchObject({ state: 'moving', bytes: content.length, sha256: sha256Of(content) });
    const movedBytes = async (): Promise<number> => (await b.client.files()).files[0]?.movedBytes ?? 0;
    await expect.poll(movedBytes, { timeout: 60_000, interval: 20 }).toBeGreaterThan(1_200_000);
    await Promise.all([a.child.kill(), b.child.kill()]);
    [b, a] = [(await b.restart()) as OwnAgent, (await a.restart()) as OwnAgent];
    expect(await movedBytes()).toBeGreaterThan(1_000_000);
    await expect
      .poll(async () => (await a.client.file(sent.id)).state, { timeout: 120_000, interval: 250 })
      .toBe('done');
    expect(await arrived(b)).toEqual([['done', 'http', content.length, sha256Of(content)]]);
    expect(await b.client.messages()).toMatchObject([{ fromName: 'a', kind: 'file' }]);
  },
);

test(
  'chunks of an older peer are put together, what is lost is named, and none is taken twice over kill -9',
  { timeout: 90_000 },
  async () => {
    const older = createIdentity(nodeCrypto, random.bytes(32));
    const pinned = { name: 'entity-a', profile: 'pcp/1.0-six', public_key: toHex(older.publicKey) };
    let b = await agents.start('files-old', settings('entity-b', { http: { peers: [pinned] } }));
    const bytes = content.subarray(0, 300_000);
    const chunks = splitTransfer(nodeCrypto, random.bytes(16), bytes);
    const post = async (index: number) => {
      const sealing = { identity: older, random, clock: new ManualClock(Date.now()) };
      const payload = { ...chunks[index], original_msg_type: 'research' };
      const body = Buffer.from(sealSix(sealing, { version: '0.3', kind: 'chunk', senderId: 'entity-a', payload }));
      const response = await fetch(`${b.info.http}/message`, { method: 'POST', body });
      return (await response.json()) as Record<string, unknown>;
    };
    for (const index of [3, 1, 1])
      expect(await post(index)).toMatchObject({ status: 'received', verification: 'passed' });
    expect(await post(9)).toMatchObject({ state: 'more', missing: [0, 2, 4, 5, 6, 7, 8] });
    for (const index of [8, 7, 6, 5, 4, 2]) await post(index);
    expect(await post(0)).toMatchObject({ state: 'whole' });
    expect(await arrived(b)).toEqual([['done', 'http', bytes.length, sha256Of(bytes)]]);
    await b.child.kill();
    b = (await b.restart()) as OwnAgent;
    expect(await post(0)).toMatchObject({ state: 'repeat' });
    expect((await b.client.files()).files).toMatchObject([{ peerName: 'entity-a', name: 'research.bin' }]);
    expect(await b.client.messages()).toMatchObject([{ kind: 'file', fromName: 'entity-a' }]);
  },
);
