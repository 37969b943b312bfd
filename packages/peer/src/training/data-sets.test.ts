import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { trainingDesk } from '../testing/training-desk.ts';

const letter = utf8('my dear friend, the letters came today.\n'.repeat(40));
const table = utf8(`x,y,sign\n${'1,2,a\n3,4,b\n'.repeat(20)}`);
const text = utf8('one line after another, and none alike\n\nanother\n');

test.each([
  ['letters.txt', letter, 'a text'],
  ['LETTERS.TXT', table, 'a text'],
  ['signs.csv', table, 'a table'],
  ['signs.tsv', table, 'a table'],
  ['signs.dat', table, 'a table'],
  ['words', text, 'a text'],
])(
  '%s is told from a table by its name, and one that names neither by what it holds: %#',
  async (name, bytes, kind) => {
    const { read } = await trainingDesk();
    expect((await read(name, bytes)).table === null ? 'a text' : 'a table').toBe(kind);
  },
);

test('a file that is called a table has to be one', async () => {
  const { read } = await trainingDesk();
  await expect(read('words.csv', text)).rejects.toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
});
