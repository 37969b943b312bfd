import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, createIdentity, toBase64Url, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { createAgreement, encodeGenesis, type Genesis } from '@peerai/ledger/agreement';
import { encodeStatement } from '@peerai/ledger/governance';
import { afterEach, expect, test } from 'vitest';
import { checkGroupChain, checkGroupHead, writeGroupChain } from './gov-files.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A chain of one block, as an agent answers it, and a head over it made by the format's own words: C2SP tlog-checkpoint under one Ed25519 key. */
async function signedChain() {
  const world = memoryWorld({ seed: 4, crypto });
  const genesis: Genesis = { version: 1, name: 'x', members: [world.identity.peer], nonce: new Uint8Array(16) };
  const link = { broadcast: () => undefined, send: () => undefined, receive: () => () => undefined };
  const agreement = await createAgreement({ ...world, link, judge: () => true }, { genesis });
  await agreement.start();
  const proposal = { title: 'Paint it', text: '', action: { type: 'text' as const }, openMs: 60_000 };
  const payload = encodeStatement({ timeMs: 1_000, said: { type: 'proposal', proposal } });
  await agreement.propose(payload, new AbortController().signal);
  const blocks: string[] = [];
  for await (const bytes of agreement.blocks(1, 2)) blocks.push(toBase64Url(bytes));
  const { head } = agreement.status();
  await agreement.stop();

  const group = createIdentity(crypto, new Uint8Array(32).fill(9));
  const root = crypto.sha256(Uint8Array.of(0), head);
  const text = `${group.peer}\n1\n${Buffer.from(root).toString('base64')}\n`;
  const keyId = crypto.sha256(utf8(group.peer), Uint8Array.of(10, 1), group.publicKey).slice(0, 4);
  const signature = Buffer.from(concatBytes(keyId, group.sign(utf8(text)))).toString('base64');
  const note = `${text}\n— ${group.peer} ${signature}\n`;
  const client = {
    governanceChain: async () => ({ v: 1 as const, genesis: toBase64Url(encodeGenesis(genesis)), blocks, next: null }),
  };
  const folder = await mkdtemp(join(tmpdir(), 'peerai-head-'));
  folders.push(folder);
  const [headFile, chainFile] = [join(folder, 'head'), join(folder, 'chain')];
  writeFileSync(headFile, note);
  expect(await writeGroupChain(client, 'x', chainFile, new AbortController().signal)).toBe(1);
  return { key: group.peer, other: world.identity.peer, headFile, chainFile };
}

test('who knows a group’s key checks its head, and a chain against that, by two files alone', async () => {
  const { key, other, headFile, chainFile } = await signedChain();
  expect(await checkGroupHead(headFile, key)).toEqual({ key, size: 1 });
  expect(await checkGroupHead(headFile, key, chainFile)).toMatchObject({ size: 1, chain: { name: 'x', blocks: 1 } });
  await expect(checkGroupHead(headFile, other)).rejects.toThrow(code('NOT_OUR_LOG'));
  await expect(checkGroupHead(headFile, 'nobody')).rejects.toThrow(code('INVALID_FORMAT'));
  const note = readFileSync(headFile, 'utf8');
  writeFileSync(headFile, note.replace('\n1\n', '\n2\n'));
  await expect(checkGroupHead(headFile, key)).rejects.toThrow(code('INVALID_SIGNATURE'));
  writeFileSync(headFile, note);
  const chain = readFileSync(chainFile);
  const place = chain.indexOf('Paint it');
  chain[place] = (chain[place] ?? 0) ^ 1;
  writeFileSync(chainFile, chain);
  await expect(checkGroupHead(headFile, key, chainFile)).rejects.toThrow();
});

test('a chain in a file says by itself what its group decided, and one changed byte is found', async () => {
  const { chainFile, other: peerId } = await signedChain();
  const found = await checkGroupChain(chainFile);
  // Its one proposal is still open.
  expect(found).toMatchObject({ name: 'x', blocks: 1, signatures: 2, decisions: [] });
  expect(found.group).toMatch(/^[\da-f]{64}$/u);
  const chain = readFileSync(chainFile);
  const place = chain.indexOf('Paint it');
  chain[place] = (chain[place] ?? 0) ^ 1;
  writeFileSync(chainFile, chain);
  await expect(checkGroupChain(chainFile)).rejects.toThrow(code('LEDGER_DAMAGED'));
  for (const none of [`${chainFile}-none`, tmpdir()]) {
    await expect(checkGroupChain(none)).rejects.toThrow(code('USAGE'));
    await expect(checkGroupHead(none, peerId)).rejects.toThrow(code('USAGE'));
  }
});
