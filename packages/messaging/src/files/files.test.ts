import { type PeerId, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryShelf, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import type { FileHttp } from './index.ts';
import { fileLimits } from './limits.ts';
import { type FileAnswer } from './protocol.ts';
import {
  content,
  isOver,
  keptBytes,
  open,
  peerOf,
  piece,
  recordOf,
  restart,
  send,
  type Side,
  until,
} from '../../test/files-world.ts';

const hashOf = (bytes: Uint8Array): string => toHex(nodeCrypto.sha256(bytes));

describe('A file over a link', () => {
  test.each([0, 1, piece, piece + 1, content.length])('of %i bytes arrives equal, once', async (size) => {
    const a = await open(1);
    const b = await open(2, a);
    const sent = await send(a, b, content.subarray(0, size));
    await until(a.world.clock, isOver(a));
    expect(recordOf(a, 'out')).toMatchObject({
      id: sent.id,
      state: 'done',
      moved: size,
      sha256: hashOf(content.subarray(0, size)),
    });
    expect(recordOf(b, 'in')).toMatchObject({ state: 'done', name: 'a file.bin', size, peer: peerOf(a) });
    expect(keptBytes(b)).toEqual(content.slice(0, size));
    expect(b.told).toHaveLength(1);
    // Nothing is left of the way.
    expect([...a.shelf.files.keys()]).toEqual([]);
    expect(await b.shelf.list('receiving')).toEqual([]);
  });

  test('whose pieces come last first and twice, with one lost each round, is asked for again until it is whole', async () => {
    const a = await open(1);
    const b = await open(2, a);
    const given: number[] = [];
    const late: (() => Promise<FileAnswer>)[] = [];
    b.meddle = async (question, answer) => {
      if (question.step !== 'piece') {
        for (const one of late.splice(0).toReversed()) await one();
        return answer();
      }
      given.push(question.index);
      // Said to be taken and lost: only the next offer's answer brings it back.
      if (given.filter((index) => index === question.index).length > 1) {
        await answer();
        return answer();
      }
      if (question.index !== 2) late.push(answer);
      return { state: 'wanted', missing: [], code: undefined, retryAfterMs: undefined };
    };
    await send(a, b);
    await until(a.world.clock, isOver(a));
    expect(recordOf(a, 'out').state).toBe('done');
    expect(keptBytes(b)).toEqual(content);
    expect(given.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2, 3]);
    expect(b.told).toHaveLength(1);
  });

  test('goes on where it was when the receiver is killed, and when the sender is', async () => {
    let a = await open(1);
    let b = await open(2, a);
    const taken = (side: Side) => side.questions.filter(({ step }) => step === 'piece').length;
    b.meddle = (question, answer) => {
      if (taken(b) > 9) b.world.networks.kill(peerOf(b));
      return question.step === 'piece' && taken(b) > 9 ? new Promise(() => undefined) : answer();
    };
    const long = seededRandom(6).bytes(12 * piece);
    await send(a, b, long);
    await until(a.world.clock, () => taken(b) > 9);
    const before = recordOf(b, 'in').moved;
    expect(before).toBeGreaterThan(0);
    const c = b;
    b = await restart(c, 2, a);
    b.meddle = (question, answer) => (question.step === 'piece' ? new Promise(() => undefined) : answer());
    await until(a.world.clock, () => b.questions.some(({ step }) => step === 'piece'));
    a = await restart(a, 1, b);
    delete b.meddle;
    b.questions.length = 0;
    await until(a.world.clock, isOver(a));
    expect(keptBytes(b)).toEqual(long);
    // What was not committed yet comes again, and no more than that.
    expect(taken(b)).toBeLessThan((long.length - before) / piece + fileLimits.piecesPerCommit);
    expect(before).toBeGreaterThan(fileLimits.piecesPerCommit * piece);
    expect(b.told).toHaveLength(1);
  });

  test('is not taken twice when its last answer is lost, also over a restart and after it was removed', async () => {
    const a = await open(1);
    let b = await open(2, a);
    b.meddle = async (_, answer) => {
      const said = await answer();
      if (said.state === 'done') a.world.networks.cut(peerOf(a), peerOf(b));
      return said;
    };
    await send(a, b);
    await until(a.world.clock, () => b.files.all().some(({ state }) => state === 'done'));
    expect(recordOf(a, 'out').state).toBe('moving');
    expect((await b.files.end(recordOf(b, 'in').id)).state).toBe('removed');
    b = await restart(b, 2, a);
    a.world.networks.heal(peerOf(a), peerOf(b));
    await until(a.world.clock, isOver(a));
    expect(recordOf(a, 'out').state).toBe('done');
    expect(b.questions.map(({ step }) => step)).toEqual(['offer']);
    expect([b.told, [...b.shelf.files.keys()]]).toEqual([[], []]);
  });

  test('has its name by the next start when the receiver is killed between the note and the name', async () => {
    const a = await open(1);
    const b = await open(2, a);
    let isNoted = false;
    b.shelf.move = () => {
      isNoted = true;
      return new Promise(() => undefined);
    };
    await send(a, b);
    await until(a.world.clock, () => isNoted);
    expect(keptBytes(b)).toBeUndefined();
    const shelf = new MemoryShelf();
    for (const [name, bytes] of b.shelf.files) await shelf.write(name, 0, bytes);
    const again = await restart({ ...b, shelf }, 2, a);
    expect(keptBytes(again)).toEqual(content);
  });

  test('that the disk lost meanwhile is fetched anew once, and refused when it is still another', async () => {
    const a = await open(1);
    const b = await open(2, a);
    const sizes: number[] = [];
    b.shelf.sha256 = async (name) => {
      sizes.push(b.shelf.files.get(name)?.length ?? 0);
      return new Uint8Array(32);
    };
    await send(a, b);
    await until(a.world.clock, isOver(a));
    expect(sizes).toEqual([content.length, content.length]);
    expect(b.questions.filter(({ step }) => step === 'piece')).toHaveLength(8);
    expect(recordOf(a, 'out')).toMatchObject({ state: 'refused', code: 'HASH_MISMATCH' });
    expect([b.told, [...b.shelf.files.keys()]]).toEqual([[], []]);
  });

  test('is cancelled by its sender, by its receiver, and while the other is away', async () => {
    for (const canceller of ['sender', 'receiver', 'away'] as const) {
      const a = await open(1);
      const b = await open(2, a);
      b.meddle = (question, answer) =>
        question.step === 'piece' && question.index > 0 ? new Promise(() => undefined) : answer();
      const sent = await send(a, b);
      await until(a.world.clock, () => b.files.all().some(({ moved }) => moved > 0));
      if (canceller === 'away') a.world.networks.cut(peerOf(a), peerOf(b));
      if (canceller === 'receiver') await b.files.end(recordOf(b, 'in').id);
      else expect(await a.files.end(sent.id)).toMatchObject({ state: 'cancelled', code: 'CANCELLED' });
      delete b.meddle;
      await a.world.clock.advance(5_000);
      a.world.networks.heal(peerOf(a), peerOf(b));
      await until(a.world.clock, () => isOver(a)() && isOver(b)());
      expect(recordOf(b, 'in')).toMatchObject({ state: 'cancelled', code: 'CANCELLED' });
      expect(recordOf(a, 'out')).toMatchObject(
        canceller === 'receiver' ? { state: 'refused', code: 'CANCELLED' } : { told: true },
      );
      expect([...a.shelf.files.keys(), ...b.shelf.files.keys(), ...b.told]).toEqual([]);
    }
  });

  test('expires after its time on both sides, and is remembered no longer than named', async () => {
    const a = await open(1);
    const b = await open(2, a);
    b.meddle = (question, answer) =>
      question.step === 'piece' && question.index > 0 ? new Promise(() => undefined) : answer();
    await send(a, b);
    await until(a.world.clock, () => b.files.all().some(({ moved }) => moved > 0));
    a.world.networks.cut(peerOf(a), peerOf(b));
    await a.world.clock.advance(fileLimits.lifeMs + 120_000);
    expect(recordOf(a, 'out')).toMatchObject({ state: 'expired' });
    const again = await restart(b, 2, a);
    expect(recordOf(again, 'in')).toMatchObject({ state: 'expired' });
    expect([...again.shelf.files.keys()]).toEqual([]);
  });
});

describe('A file by HTTP', () => {
  const httpTo =
    (side: () => Side): FileHttp =>
    () =>
    async (question) =>
      side().files.answerHttp(from, question, admit);
  let from = '' as PeerId;
  let admit = (): void => undefined;

  test('goes that way when no link leads to the peer, one piece at a time, and waits when it is told to', async () => {
    let b: Side | undefined;
    const a = await open(1, undefined, { http: httpTo(() => b as Side) });
    b = await open(2, a);
    from = peerOf(a);
    a.world.networks.cut(peerOf(a), peerOf(b));
    let asked = 0;
    admit = () => {
      asked += 1;
      if (asked !== 3) return;
      throw Object.assign(new (class extends Error {})('no'), { code: 'RATE_LIMITED' });
    };
    await send(a, b);
    await until(a.world.clock, isOver(a));
    expect(recordOf(a, 'out')).toMatchObject({ state: 'done', way: 'http' });
    expect(recordOf(b, 'in')).toMatchObject({ state: 'done', way: 'http' });
    expect(keptBytes(b)).toEqual(content);
    // One that was put off, and another offer after it.
    expect(asked).toBe(1 + 4 + 2);
  });

  test('that is malformed is refused, never thrown', async () => {
    const b = await open(2);
    admit = () => undefined;
    const answer = await b.files.answerHttp('x' as PeerId, Uint8Array.of(1, 2, 3), admit);
    expect(answer).toBeInstanceOf(Uint8Array);
    expect(b.files.all()).toEqual([]);
  });
});

describe('What comes whole', () => {
  test('is kept once for each sender and id', async () => {
    const b = await open(2);
    const take = () => b.files.takeWhole('older' as PeerId, 'ab'.repeat(16), 'x', content, nodeCrypto.sha256(content));
    expect([await take(), await take()]).toEqual([true, false]);
    expect(keptBytes(b)).toEqual(content);
    expect(b.told).toHaveLength(1);
    b.shelf.failNextWrite('STORE_FULL');
    const other = b.files.takeWhole('older' as PeerId, 'cd'.repeat(16), 'x', content, nodeCrypto.sha256(content));
    await expect(other).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(
      b.files
        .all()
        .map(({ state }) => state)
        .toSorted(),
    ).toEqual(['done', 'refused']);
  });
});
