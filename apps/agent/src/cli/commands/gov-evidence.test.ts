import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase64Url, parsePeerId, toBase64Url } from '@peerai/core-protocol';
import { encodeGenesis } from '@peerai/ledger/agreement';
import { afterEach, expect, test } from 'vitest';
import { checkEvidence, writeEvidence, writeGroupChain } from './gov-files.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A lie as a member of the first release keeps it: files of then are read for good. */
const group = '9bf777c24211e45e325649c7234788a7464420d90bf33b87275c5161c9d3cff1';
const peerId = '12D3KooWF2vN9xaKmZLbpx27whHTF8WtMdcwSmiN5WjW7qBLhKMw';
const proof =
  'CrQBCk4IBBIgm_d3wkIR5F4yVknHI0eIp0ZEINkL8zuHJ1xRYcnTz_EYACAHKAIwADogAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQESIE2Bzy7aO7ZKWoQtPfYGujhGWLGeoTNvrmwfSTTeewf2GkCfaAZ0ayCkFsDQkenfIiDDHgUwbt9A-Lu8BFU4-D08BtPMfDOvVC0qn7XfX0qvzrsIzb0pad3BvUbRiefLLYULErQBCk4IBBIgm_d3wkIR5F4yVknHI0eIp0ZEINkL8zuHJ1xRYcnTz_EYACAHKAIwADogAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgISIE2Bzy7aO7ZKWoQtPfYGujhGWLGeoTNvrmwfSTTeewf2GkBuQ5yoZENa7KesYo33_y46GHZEyYALH-Y_H-xl7Za6u3WGAvtKZaPfLMQChtIW29H4g0UWkOiW67rkMKSnHtwD';
const facts = { peerId, kind: 'conflicting-finalize', epoch: 0, height: 7, view: 2 } as const;

test('what an agent says of a lie is checked by its file alone, and a changed file is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peerai-lies-'));
  folders.push(folder);
  const file = join(folder, 'lies');
  writeEvidence({ lies: [{ ...facts, name: 'bob', evidence: proof }] }, file);
  expect(await checkEvidence(file)).toEqual([{ ...facts, group }]);
  const bytes = readFileSync(file);
  const refusedAs = async (changed: Uint8Array): Promise<unknown> => {
    writeFileSync(file, changed);
    try {
      return await checkEvidence(file);
    } catch (error) {
      return error;
    }
  };
  for (const at of [bytes.indexOf(1, 60), bytes.length - 2])
    expect(await refusedAs(Buffer.from(bytes).fill((bytes[at] ?? 0) ^ 1, at, at + 1))).toEqual(
      code('INVALID_SIGNATURE'),
    );
  expect(await refusedAs(bytes.subarray(0, -1))).toEqual(code('INVALID_FORMAT'));
  // Not in its file, the proof is no file.
  expect(await refusedAs(fromBase64Url(proof))).toEqual(code('INVALID_FORMAT'));
  await expect(checkEvidence(join(folder, 'none'))).rejects.toThrow(code('USAGE'));
});

test('with a chain, its epochs say whether who lied was a member: one of another group, or none, says nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peerai-lies-'));
  folders.push(folder);
  const [file, chain] = [join(folder, 'lies'), join(folder, 'chain')];
  writeEvidence({ lies: [{ ...facts, name: 'bob', evidence: proof }] }, file);
  await expect(checkEvidence(file, chain)).rejects.toThrow(code('USAGE'));
  const members = [parsePeerId(peerId)];
  const genesis = encodeGenesis({ version: 1, name: 'x', members, nonce: new Uint8Array(16) });
  const client = {
    governanceChain: async () => ({ v: 1 as const, genesis: toBase64Url(genesis), blocks: [], next: null }),
  };
  await writeGroupChain(client, 'x', chain, new AbortController().signal);
  await expect(checkEvidence(file, chain)).rejects.toThrow(code('EVIDENCE_WRONG'));
  writeFileSync(chain, 'peerai chain');
  await expect(checkEvidence(file, chain)).rejects.toThrow(code('INVALID_FORMAT'));
});
