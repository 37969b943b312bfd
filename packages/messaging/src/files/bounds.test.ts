import { type PeerId } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { fileLimits } from './limits.ts';
import { fileMethod, type FileQuestion, fileQuestionForm } from './protocol.ts';
import { content, inParts, live, many, open, piece, restart, type Side, stored } from '../../test/files-world.ts';

describe('A receiver', () => {
  const offer = (transfer: number, size: number): FileQuestion => ({
    transfer: new Uint8Array(16).fill(transfer),
    step: 'offer',
    offer: { name: 'x', size, sha256: new Uint8Array(32) },
  });
  const asked = async (side: Side, question: FileQuestion, peer = 'peer'): Promise<string> => {
    const { state, code = '' } = await side.files.answer(peer as PeerId, question);
    return `${state} ${code}`.trim();
  };
  test('takes a file of the named size and not one byte more', async () => {
    const b = await open(2);
    expect(await asked(b, offer(1, fileLimits.fileBytesMax))).toBe('wanted');
    expect(await asked(b, offer(2, fileLimits.fileBytesMax + 1))).toBe('refused LIMIT_EXCEEDED');
  });

  test.each([
    ['of one peer', [...many(9, fileLimits.fileBytesMax, 'peer'), ...many(1, 7, 'peer')], fileLimits.fileBytesMax - 7],
    ['of all', many(40, fileLimits.fileBytesMax, 'other'), fileLimits.totalBytesMax - 40 * fileLimits.fileBytesMax],
  ])('takes bytes %s to the named sum and not one more', async (_, rows, room) => {
    const b = await stored(rows);
    expect(await asked(b, offer(1, room + 1))).toBe('refused LIMIT_REACHED');
    expect(await asked(b, offer(2, room))).toBe('wanted');
    expect(await asked(b, offer(3, 1))).toBe('refused LIMIT_REACHED');
  });

  test('takes files to the named count, and again when one was removed', async () => {
    const b = await stored(many(fileLimits.filesMax - 1, 1, 'other'));
    expect(await asked(b, offer(1, 1))).toBe('wanted');
    expect(await asked(b, offer(2, 1))).toBe('refused LIMIT_REACHED');
    await b.files.end('0'.repeat(32));
    expect(await asked(b, offer(3, 1))).toBe('wanted');
  });

  test('has as many unfinished files of one peer as named, and tells the next one to come later', async () => {
    const b = await open(2);
    for (let place = 0; place < fileLimits.openPerPeerMax; place += 1)
      expect(await asked(b, offer(place, 1))).toBe('wanted');
    expect(await asked(b, offer(99, 1))).toBe('later LIMIT_REACHED');
    expect(await asked(b, offer(99, 1), 'somebody else')).toBe('wanted');
  });

  test('remembers what is over, the oldest goes first', async () => {
    const rows = many(fileLimits.rememberedMax, 1, 'other').map((row, place) => ({
      ...row,
      state: 'removed' as const,
      endedMs: 1e15 + place,
    }));
    const b = await stored(rows);
    const cancelled = offer(1, 1);
    await asked(b, cancelled);
    expect(b.files.all()).toHaveLength(fileLimits.rememberedMax + 1);
    await asked(b, { transfer: cancelled.transfer, step: 'cancel' });
    expect(b.files.all()).toHaveLength(fileLimits.rememberedMax);
    expect(b.files.all().some(({ id }) => id === '0'.repeat(32))).toBe(false);
  });

  test('refuses what does not fit, and says so of an id it knows under another file', async () => {
    const b = await open(2);
    const { transfer } = offer(1, piece + 1);
    expect(await asked(b, offer(1, piece + 1))).toBe('wanted');
    expect(await asked(b, offer(1, piece + 2))).toBe('refused INVALID_FORMAT');
    expect(await asked(b, { transfer, step: 'piece', index: 2, data: new Uint8Array(1) })).toBe(
      'refused INVALID_FORMAT',
    );
    expect(await asked(b, { transfer, step: 'piece', index: 1, data: new Uint8Array(2) })).toBe(
      'refused INVALID_FORMAT',
    );
    expect(await asked(b, { transfer, step: 'piece', index: 1, data: new Uint8Array(1) })).toBe('wanted');
    const unknown = { transfer: new Uint8Array(16), step: 'piece', index: 0, data: new Uint8Array(1) } as const;
    expect(await asked(b, unknown)).toBe('later NOT_FOUND');
    // Another peer's id is another file.
    expect(await asked(b, { transfer, step: 'piece', index: 1, data: new Uint8Array(1) }, 'thief')).toBe(
      'later NOT_FOUND',
    );
  });
});

describe('A sender', () => {
  test('keeps as many files as named for peers that are away, and no file above the limit', async () => {
    const a = await open(1);
    const to = 'away' as PeerId;
    const sendOne = (bytes: AsyncIterable<Uint8Array>, name = 'x') => a.files.send(to, name, bytes, live);
    for (let count = 0; count < fileLimits.sendingMax; count += 1) await sendOne(inParts(Uint8Array.of(1)));
    await expect(sendOne(inParts(Uint8Array.of(1)))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    for (const { id } of a.files.all()) await a.files.end(id);
    async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
      for (let left = bytes; left > 0; left -= 1_048_576) yield new Uint8Array(Math.min(left, 1_048_576));
    }
    await expect(sendOne(zeros(fileLimits.fileBytesMax + 1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await a.shelf.list('sending')).toEqual([]);
    a.shelf.sha256 = async () => new Uint8Array(32);
    const longest = await sendOne(zeros(fileLimits.fileBytesMax), 'é'.repeat(127));
    expect(longest.size).toBe(fileLimits.fileBytesMax);
    await expect(sendOne(inParts(Uint8Array.of(1)), 'é'.repeat(128))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test('keeps files for peers that are away to the named sum of bytes and not one more', async () => {
    const rest = 10;
    const rows = many(1, fileLimits.sendingBytesMax - rest, 'away');
    const a = await stored(rows.map((row) => ({ ...row, direction: 'out', state: 'moving' })));
    const sendOne = (bytes: number) => a.files.send('away' as PeerId, 'x', inParts(new Uint8Array(bytes)), live);
    await expect(sendOne(rest + 1)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    expect((await sendOne(rest)).size).toBe(rest);
    await expect(sendOne(1)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  });

  test('that is killed while it takes a file in leaves nothing of it', async () => {
    const a = await open(1);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw new Error('the program that brought it is gone');
    }
    await expect(a.files.send('x' as PeerId, 'x', broken(), live)).rejects.toThrow('gone');
    expect([...a.shelf.files.keys()]).toEqual([]);
    await a.shelf.write('sending/left', 0, content);
    const again = await restart(a, 1, a);
    expect([...again.shelf.files.keys()]).toEqual([]);
  });
});

test('a question that is written is read again, at its limits and not past them', () => {
  const transfer = new Uint8Array(16);
  const data = new Uint8Array(piece);
  const written = fileMethod.request.encode({ transfer, step: 'piece', index: 7, data });
  expect(written.length).toBeLessThan(fileMethod.protocol.messageBytesMax - 100);
  expect(fileQuestionForm.decode(written)).toEqual({ transfer, step: 'piece', index: 7, data });
  const tooLong = fileMethod.request.encode({ transfer, step: 'piece', index: 7, data: new Uint8Array(piece + 1) });
  expect(() => fileQuestionForm.decode(tooLong)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});
