import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex, utf8 } from '@peerai/core-protocol';
import { nodeRandom as random } from '@peerai/platform/node';
import { afterEach, expect, test, vi } from 'vitest';
import { createLetterAgents } from '../test/letter-agent.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-route-'));
const agents = createLetterAgents(folder);
afterEach(async () => {
  await agents.stopAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
const soon = { timeout: 20_000, interval: 50 };

test('over real links a letter reaches a peer that only the one between knows an address of', async () => {
  const c = await agents.agent('c', random.bytes(32), { relays: [], knows: [] });
  const b = await agents.agent('b', random.bytes(32), { relays: [], knows: c.addresses });
  await vi.waitFor(() => expect(b.mailbox.records.get(c.peer)).toBeDefined(), soon);
  const a = await agents.agent('a', random.bytes(32), { relays: [], knows: b.addresses });
  await vi.waitFor(() => expect(a.router.paths.to(c.peer)).toHaveLength(1), soon);
  const long = 'x'.repeat(900_000);
  const ids = [
    await a.messenger.send({ to: c.peer, kind: 'text', payload: 'one' }),
    await a.messenger.send({ to: c.peer, kind: 'text', payload: long }),
  ];
  await vi.waitFor(async () => expect(await a.messenger.waiting()).toBe(0), soon);
  for (const id of ids) expect(await a.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'route' });
  expect(await c.texts()).toEqual(['one', long].map((text) => toHex(utf8(text))));
  expect(await b.texts()).toEqual([]);
}, 60_000);
