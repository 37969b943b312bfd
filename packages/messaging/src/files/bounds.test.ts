import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { type FileRecord, openFileBook } from './book.ts';
import { fileLimits } from './limits.ts';
import { fileAnswerForm, fileMethod, type FileQuestion, fileQuestionForm } from './protocol.ts';
import {
  content,
  inParts,
  isOver,
  live,
  many,
  open,
  peerOf,
  piece,
  restart,
  type Side,
  stored,
  until,
} from '../../test/files-world.ts';

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
    [
      'of one peer',
      [...many(9, fileLimits.fileBytesMax, 'peer'), ...many(1, 7, 'peer')],
      fileLimits.peerBytesMax - 9 * fileLimits.fileBytesMax - 7,
    ],
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

describe('A file', () => {
  const code = (error: unknown): string => (PeerAiError.is(error) ? error.code : String(error));

  test('has a name of so many bytes and not one more, for who sends it and for who is asked', async () => {
    const a = await open(1);
    const named = (name: string) =>
      a.files.send('nobody' as PeerId, name, inParts(new Uint8Array(1)), live).then(({ id }) => id.length, code);
    const [most, more] = [`é${'x'.repeat(fileLimits.nameBytesMax - 2)}`, `é${'x'.repeat(fileLimits.nameBytesMax - 1)}`];
    expect([await named(most), await named(more)]).toEqual([32, 'INVALID_FORMAT']);
    const asked = (name: string) => {
      const question = {
        transfer: new Uint8Array(16),
        step: 'offer',
        offer: { name, size: 1, sha256: new Uint8Array(32) },
      } as const;
      return () => fileQuestionForm.decode(fileQuestionForm.encode(question));
    };
    expect(asked(most)()).toMatchObject({ offer: { name: most } });
    expect(asked(more)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });

  test('has so many pieces, and an answer names no more as missing', () => {
    expect(fileLimits.piecesMax * piece).toBe(fileLimits.fileBytesMax);
    const answer = (count: number) => {
      const missing = Array.from({ length: count }, (_, index) => index);
      const said = { state: 'wanted', missing, code: undefined, retryAfterMs: undefined } as const;
      return () => fileAnswerForm.decode(fileAnswerForm.encode(said)).missing.length;
    };
    expect(answer(fileLimits.piecesMax)()).toBe(fileLimits.piecesMax);
    expect(answer(fileLimits.piecesMax + 1)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });

  test.each([
    [fileLimits.roundsMax - 2, 1],
    [fileLimits.roundsMax - 1, 2],
  ])('of which pieces get lost %i times is there after %i attempts', async (losses, attempts) => {
    const a = await open(1);
    const b = await open(2, a);
    let lost = 0;
    b.meddle = (question, answer) => {
      if (question.step !== 'piece' || lost === losses) return answer();
      lost += 1;
      return Promise.resolve({ state: 'wanted', missing: [], code: undefined, retryAfterMs: undefined });
    };
    await a.files.send(peerOf(b), 'x', inParts(new Uint8Array(piece)), live);
    // A second attempt comes after a wait.
    await a.world.clock.advance(500);
    expect(a.files.all()[0]?.state).toBe(attempts === 1 ? 'done' : 'moving');
    await until(a.world.clock, isOver(a));
    // One offer at an attempt's beginning, one after each round; the last piece ends it.
    const offers = b.questions.filter(({ step }) => step === 'offer').length;
    expect([a.files.all()[0]?.state, offers]).toEqual(['done', losses + attempts]);
  });

  test('has so many of its pieces on their way at once', async () => {
    const a = await open(1);
    const b = await open(2, a);
    let now = 0;
    let most = 0;
    b.meddle = async (question, answer) => {
      if (question.step !== 'piece') return answer();
      now += 1;
      most = Math.max(most, now);
      await a.world.clock.sleep(10);
      now -= 1;
      return answer();
    };
    await a.files.send(peerOf(b), 'x', inParts(new Uint8Array((fileLimits.windowPieces + 2) * piece)), live);
    await until(a.world.clock, isOver(a));
    expect(most).toBe(fileLimits.windowPieces);
  });

  test('that is over is remembered for so long, and not a millisecond more', async () => {
    const clock = new ManualClock();
    const base = { direction: 'in', peer: 'p', name: 'x', size: 1, sha256: '', moved: 0, startedMs: 0 } as const;
    const over = { ...base, id: '1', transfer: '1', state: 'removed', touchedMs: 0, endedMs: clock.nowMs() };
    for (const more of [0, 1]) {
      const book = await openFileBook(new MemoryStore());
      await book.put(over as FileRecord);
      const touchedMs = clock.nowMs() + fileLimits.rememberMs + more;
      await book.put({ ...base, id: '2', transfer: '2', state: 'moving', touchedMs } as FileRecord);
      expect(book.get('1') === undefined).toBe(more === 1);
    }
  });
});
