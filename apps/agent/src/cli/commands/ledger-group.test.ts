import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64Url, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { openLedger, withEntry } from '@peerai/ledger';
import { createAgreement, encodeGenesis, type Genesis } from '@peerai/ledger/agreement';
import { encodeStatement, signLogHead } from '@peerai/ledger/governance';
import type { ControlClient, GovernanceDetail } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logHeadsText } from './gov-log-heads.ts';
import { verifyOffline } from './ledger-files.ts';
import { writeGroupProof } from './ledger-group.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const never = new AbortController().signal;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-group-proof-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A group of one whose chain has a head of its member's log, and one block more, as its agent answers in pages of one. */
async function groupOfOne() {
  const world = memoryWorld({ seed: 4, crypto });
  const { identity, store } = world;
  const genesis: Genesis = { version: 1, name: 'home', members: [identity.peer], nonce: new Uint8Array(16) };
  const link = { broadcast: () => undefined, send: () => undefined, receive: () => () => undefined };
  const agreement = await createAgreement({ ...world, store: store.room('a'), link, judge: () => true }, { genesis });
  await agreement.start();
  const group = toHex(agreement.status().group);
  const ledger = await openLedger({ ...world, store: store.room('ledger') });
  await ledger.append(Array.from({ length: 5 }, (_, at) => ({ kind: 'note', body: utf8(`${at}`) })));
  const { note } = await ledger.checkpoint();
  const heads = [signLogHead({ crypto, identity }, group, { note, from: 0n, path: [] })];
  await agreement.propose(encodeStatement({ timeMs: 86_400_000, said: { type: 'log-heads', heads } }), never);
  const bytes: Uint8Array[] = [];
  for await (const one of ledger.read(3n, 4n)) bytes.push(one);
  const proof = toBase64Url(withEntry(await ledger.prove(3n), bytes[0] ?? new Uint8Array()));
  await agreement.propose(encodeStatement({ timeMs: 86_400_001, said: { type: 'close', on: 'ab'.repeat(32) } }), never);
  const client: Pick<ControlClient, 'governanceChain' | 'proveByGroup'> = {
    async proveByGroup() {
      return { v: 1, group, peerId: identity.peer, name: 'me', index: 3, size: 5, height: 1, proof };
    },
    async governanceChain(_group, from) {
      const blocks: string[] = [];
      for await (const one of agreement.blocks(from, from + 1)) blocks.push(toBase64Url(one));
      return { v: 1, genesis: toBase64Url(encodeGenesis(genesis)), blocks, next: from === 1 ? 2 : null };
    },
  };
  return { client, group, peer: identity.peer, stop: () => agreement.stop() };
}

test('one file proves an entry by its group’s chain, without an agent; of another group, or changed, it proves nothing', async () => {
  const { client, group, peer, stop } = await groupOfOne();
  const file = join(folder, 'entry.proof');
  expect(await writeGroupProof(client, { group: 'home', index: 3 }, file, never)).toMatchObject({ group, height: 1 });
  await stop();
  const nobody = { witnesses: [], quorum: 0 };
  const chain = { group, name: 'home', height: 1, timeMs: 86_400_000, members: 1, faults: [] };
  const found = { ok: true, what: 'group-proof', origin: peer, index: 3, size: 5, kind: 'note', cosigners: [], chain };
  expect(await verifyOffline(file, nobody)).toEqual(found);
  expect(await verifyOffline(file, { ...nobody, group })).toEqual(found);
  const other = 'cd'.repeat(32);
  await expect(verifyOffline(file, { ...nobody, group: other })).rejects.toThrow(code('PROOF_WRONG'));
  await expect(verifyOffline(file, { ...nobody, quorum: 1 })).rejects.toThrow(code('USAGE'));
  await expect(verifyOffline(folder, { ...nobody, group })).rejects.toThrow(code('PROOF_WRONG'));
  const bytes = readFileSync(file);
  bytes[bytes.length - 40] = 1 ^ (bytes[bytes.length - 40] ?? 0);
  writeFileSync(file, bytes);
  await expect(verifyOffline(file, nobody)).rejects.toThrow(code('BLOCK_WRONG'));
});

test('the group’s page in the terminal says how far each log is proven, who lied, and why our own is not told', () => {
  const none: GovernanceDetail['logHeads'] = { everyMinutes: 60, heads: [], faults: [], problem: null };
  expect(logHeadsText(none)).toBe('Logs: none yet; heads go in every 60 minutes at most');
  expect(logHeadsText({ ...none, everyMinutes: 0, problem: 'group-off' })).toContain('Logs: none\n');
  const bob = { peerId: '12D3', name: 'bob' };
  const text = logHeadsText({
    ...none,
    heads: [{ ...bob, size: 7, root: 'ab', height: 3, timeMs: Date.now() }],
    faults: [{ ...bob, kind: 'rollback', height: 4, heldSize: 7, saidSize: 2 }],
    problem: 'behind',
  });
  expect(text).toMatch(/bob +7 entries +3/u);
  expect(text).toContain('LIED bob said fewer entries than the chain has: 2 against 7, in block 4');
  expect(text).toContain('an older copy was put back');
});
