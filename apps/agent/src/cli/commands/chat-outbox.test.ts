import { fromUtf8, PeerAiError, utf8 } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { chatLimits } from './chat-limits.ts';
import { byHttp, chatOutbox, type Deliver } from './chat-outbox.ts';

const never = new AbortController().signal;
const away = (): PeerAiError => new PeerAiError('PEER_UNREACHABLE', 'nobody is there');

/** An outbox whose deliveries end as `outcomes` say, the rest well. */
function outbox(outcomes: (Error | undefined)[] = [], signal = never) {
  const clock = new ManualClock();
  const [sent, failures]: [string[], [string, boolean][]] = [[], []];
  const deliver: Deliver = async (envelope) => {
    const outcome = outcomes.shift();
    if (outcome !== undefined) throw outcome;
    sent.push(fromUtf8(envelope));
  };
  const failed = (error: unknown, isFinal: boolean): void => void failures.push([(error as PeerAiError).code, isFinal]);
  const box = chatOutbox({ clock, deliver }, failed, signal);
  return { clock, sent, failures, add: (text: string) => box.add(utf8(text)), drained: box.drained };
}

describe('the outbox of a chat', () => {
  test('delivers in order, also what is added while the last line ends', async () => {
    // One of these turns of the microtask queue falls between the last line and the end.
    for (let turns = 0; turns < 20; turns += 1) {
      const { add, sent, drained } = outbox();
      add('1');
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      add('2');
      expect([await drained(never), sent]).toEqual([0, ['1', '2']]);
    }
  });

  test('tries again after 1, 2, 4 … 60 s, says it once, and keeps the order', async () => {
    const { add, sent, failures, clock } = outbox(Array.from({ length: 8 }, away));
    for (const text of ['1', '2']) add(text);
    const waits = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const seconds of waits) {
      await clock.advance(seconds * 1_000 - 1);
      expect(sent).toEqual([]);
      await clock.advance(1);
    }
    expect([sent, failures]).toEqual([['1', '2'], [['PEER_UNREACHABLE', false]]]);
  });

  test('gives up what never gets through, and goes on with the next', async () => {
    const { add, sent, failures, drained } = outbox([new PeerAiError('DECRYPTION_FAILED', 'no')]);
    for (const text of ['1', '2']) add(text);
    expect([await drained(never), sent, failures]).toEqual([0, ['2'], [['DECRYPTION_FAILED', true]]]);
  });

  test('takes a repeated line for delivered when an attempt before had no answer, else for refused', async () => {
    const repeated = (): PeerAiError => new PeerAiError('REPLAY_DETECTED', 'again');
    const { add, failures, clock } = outbox([away(), repeated(), repeated()]);
    add('1');
    await clock.advance(chatLimits.retryMsMin);
    add('2');
    await clock.advance(0);
    expect(failures).toEqual([
      ['PEER_UNREACHABLE', false],
      ['REPLAY_DETECTED', true],
    ]);
  });

  test('holds waitingMax lines, one more is LIMIT_REACHED; who stops waiting hears how many are left', async () => {
    const { add, drained } = outbox(Array.from({ length: 8 }, away));
    for (let n = 0; n < chatLimits.waitingMax; n += 1) add(String(n));
    expect(() => add('more')).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }) as Error);
    const stop = new AbortController();
    const waiting = drained(stop.signal);
    stop.abort();
    expect([await waiting, await drained(stop.signal)]).toEqual([chatLimits.waitingMax, chatLimits.waitingMax]);
  });

  test('ends with its signal', async () => {
    const stop = new AbortController();
    const { add, sent, failures, clock, drained } = outbox([away()], stop.signal);
    add('1');
    await clock.advance(500);
    stop.abort();
    expect([await drained(never), sent, failures.length]).toEqual([1, [], 1]);
  });
});

describe('by HTTP', () => {
  const answered = (status: number, body: object | string, url = 'https://there.example/') => {
    const asked: string[] = [];
    const bytes = utf8(typeof body === 'string' ? body : JSON.stringify(body));
    const deliver = byHttp(async (request) => {
      asked.push(request.url);
      return { status, body: bytes };
    }, url);
    return { asked, work: deliver(utf8('{}'), never) };
  };
  test.each(['https://there.example', 'https://there.example/', 'https://there.example//'])(
    'goes to /inbox of %s',
    async (url) => {
      const { asked, work } = answered(200, { status: 'ok' }, url);
      await work;
      expect(asked).toEqual(['https://there.example/inbox']);
    },
  );
  test.each([
    [
      400,
      { error: { code: 'DECRYPTION_FAILED', message: 'Failed to decrypt message' } },
      'DECRYPTION_FAILED',
      /^Failed/u,
    ],
    [409, { error: { code: 'REPLAY_DETECTED', message: 'again' } }, 'REPLAY_DETECTED', /again/u],
    [404, '<html>', 'REFUSED', /answers 404/u],
    [302, 'null', 'REFUSED', /answers 302/u],
    [400, { error: { code: 'TIMEOUT' } }, 'REFUSED', /answers 400/u],
    [429, {}, 'RATE_LIMITED', /too much/u],
    [502, 'bad gateway', 'PEER_UNREACHABLE', /answers 502/u],
  ])('%i %j is %s', async (status, body, code, message) => {
    await expect(answered(status, body).work).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});
