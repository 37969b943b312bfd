import { join } from 'node:path';
import { createIdentity, PeerAiError, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { openLedger } from '@peerai/ledger';
import { systemClock, systemRandom } from '@peerai/platform';
import { openStore } from '@peerai/platform/node';
import { afterAll, expect, test } from 'vitest';
import { homes } from '../../test/cli.ts';

const folders = homes();
afterAll(() => folders.remove());
const pageBytes = 8_192;
/** In three groups, under way at the same time: there is room for the first, not for the second, and for the third without that one. */
const callers = 137;
/** Of each caller, in one append; 512 share a commit. */
const entriesEach = 8;

test('a log with many callers whose disk is full has what it acknowledged, none behind a hole, and goes on when there is room', async () => {
  const path = join(folders.make(), 'store.sqlite');
  const identity = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const open = async () => {
    const store = await openStore(path, { bytesMax: 54 * pageBytes });
    const deps = { store: store.room('ledger'), identity, crypto: nodeCrypto, clock: systemClock };
    return { store, ledger: await openLedger(deps) };
  };
  const body = (text: string): Uint8Array => utf8(text.padEnd(320));
  const { store, ledger } = await open();
  await store.commit([store.put('spare', new Uint8Array(8 * pageBytes))]);
  const acknowledged = new Map<number, string>();
  const refusals: string[] = [];
  const append = async (text: string): Promise<void> => {
    const place = await ledger.append(Array.from({ length: entriesEach }, () => ({ kind: 'note', body: body(text) })));
    for (let at = 0; at < entriesEach; at += 1) acknowledged.set(Number(place) + at, text);
  };
  await Promise.all(
    Array.from({ length: callers }, (_, caller) =>
      append(`caller ${caller}`).catch((error: unknown) =>
        refusals.push(PeerAiError.is(error) ? error.code : String(error)),
      ),
    ),
  );
  expect(acknowledged.size).toBeGreaterThan(100);
  expect(new Set(refusals)).toEqual(new Set(['STORE_FULL']));
  expect(acknowledged.size / entriesEach + refusals.length).toBe(callers);
  await store.commit([store.put('spare')]);
  await append('after');
  await store.close();
  const again = await open();
  const bodies: Uint8Array[] = [];
  for await (const { entry } of again.ledger.entries(0n, again.ledger.size)) bodies.push(entry.body);
  expect(bodies).toEqual(Array.from({ length: acknowledged.size }, (_, at) => body(acknowledged.get(at) ?? 'a hole')));
  expect(await again.ledger.verify()).toMatchObject({ ok: true });
  await again.store.close();
});
