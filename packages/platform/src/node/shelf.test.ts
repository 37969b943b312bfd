import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@peerai/core-protocol';
import { shelfContract } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { openShelf } from './shelf.ts';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'peerai-shelf-'));

shelfContract('A folder', async () => {
  const place = await folder();
  return { shelf: openShelf(join(place, 'files')), stop: () => rm(place, { recursive: true, force: true }) };
});

test('what is written is for its owner alone, and a part of a name may have 255 bytes and no more', async () => {
  const place = await folder();
  const shelf = openShelf(join(place, 'files'));
  await shelf.write('in/a', 0, utf8('x'));
  const modes = await Promise.all([stat(shelf.path('in/a')), stat(join(place, 'files', 'in'))]);
  expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700]);
  await shelf.write(`in/${'é'.repeat(127)}x`, 0, utf8('x'));
  await expect(shelf.write(`in/${'é'.repeat(128)}`, 0, utf8('x'))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  await rm(place, { recursive: true, force: true });
});
