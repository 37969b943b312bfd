import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Network, PeerId } from '../ports/index.ts';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, seededRandom, settle } from '../testing/index.ts';
import { bytes, jsonCodec, message, string, uint32 } from '../wire/index.ts';
import { callMethod, type Method, type MethodHandler, serveMethod, streamMethod } from './index.ts';
import { describeError, frame, readError } from './frame.ts';

interface Question {
  readonly text: string;
}
interface Answer {
  readonly number: number;
}
const method: Method<Question, Answer> = {
  protocol: {
    id: '/peerai/test/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 4_096,
    channelsPerPeerMax: 8,
  },
  request: message({ text: string(1) }),
  response: message({ number: uint32(1) }),
  timeoutMs: 1_000,
};
const [caller, server] = ['caller', 'server'] as PeerId[] as [PeerId, PeerId];

let clock: ManualClock;
let networks: MemoryNetworks;
let here: Network;
let there: Network;
let stopping: AbortController;
beforeEach(() => {
  clock = new ManualClock();
  networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  here = networks.join(caller);
  there = networks.join(server);
  stopping = new AbortController();
});
afterEach(() => {
  // No call leaves a timer behind.
  expect(clock.pending).toBe(0);
});
const serve = (handler: MethodHandler<Question, Answer>, options = {}): Disposable =>
  serveMethod(there, method, handler, options);
const call = (text = 'hello'): Promise<Answer> =>
  callMethod({ network: here, clock }, server, method, { text }, { signal: stopping.signal });
const stream = (text = 'hello'): AsyncGenerator<Answer, void, undefined> =>
  streamMethod({ network: here, clock }, server, method, { text }, { signal: stopping.signal });
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('A call', () => {
  it('is answered, and the handler knows who asks', async () => {
    serve(async ({ text }, { peer, link }) => {
      expect([peer, link.peer]).toEqual([caller, caller]);
      return { number: text.length };
    });
    expect(await call('four')).toEqual({ number: 4 });
    expect(await Promise.all(['', 'a', 'bb'].map(call))).toEqual([0, 1, 2].map((number) => ({ number })));
  });

  it('throws the code, the message and the details of our errors, and nothing of others', async () => {
    const heard: unknown[] = [];
    serve(
      async ({ text }) => {
        if (text === 'ours') throw new PeerAiError('TOO_MANY', 'all busy', { retryAfterMs: 250, running: 3 });
        throw new Error('secret in /home/me');
      },
      { onError: (error: unknown) => heard.push(error) },
    );
    await expect(call('ours')).rejects.toMatchObject({
      code: 'TOO_MANY',
      message: 'all busy',
      details: { retryAfterMs: 250, running: 3 },
    });
    const failure = await call('other').catch((error: unknown) => error as PeerAiError);
    expect(failure).toMatchObject({ code: 'INTERNAL', message: 'the other side failed', details: {} });
    expect(heard).toMatchObject([{ message: 'secret in /home/me' }]);
  });

  it('stops both sides when its caller goes, with the caller’s reason', async () => {
    const gone = Promise.withResolvers<void>();
    serve((_, { signal }) => {
      signal.addEventListener('abort', () => gone.resolve());
      return untilAborted(signal);
    });
    const calling = call();
    await settle();
    stopping.abort();
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' });
    await gone.promise;
    await expect(call()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('times out after the method’s time, not before', async () => {
    serve((_, { signal }) => untilAborted(signal));
    const calling = call().catch((error: unknown) => error);
    let settled = false;
    void calling.then(() => (settled = true));
    await clock.advance(999);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await calling).toMatchObject({ code: 'TIMEOUT' });
  });

  it('says when the answer broke off, and when nobody answers', async () => {
    await expect(call()).rejects.toMatchObject({ code: 'REFUSED' });
    const calling = Promise.withResolvers<void>();
    serve((_, { signal }) => {
      calling.resolve();
      return untilAborted(signal);
    });
    const answer = call();
    await calling.promise;
    networks.cut(caller, server);
    await expect(answer).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    await expect(call()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  it('carries a question of the protocol’s limit and refuses one byte more', async () => {
    serve(async ({ text }) => ({ number: text.length }));
    const overheadBytes =
      frame.encode({ kind: 'request', body: method.request.encode({ text: 'x'.repeat(3_000) }), error: undefined })
        .length - 3_000;
    const most = 4_096 - overheadBytes;
    expect(await call('x'.repeat(most))).toEqual({ number: most });
    await expect(call('x'.repeat(most + 1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('A stream', () => {
  it('brings every answer in order, then ends', async () => {
    serve(async function* ({ text }) {
      for (let number = 0; number < text.length; number += 1) yield { number };
    });
    expect(await Array.fromAsync(stream('abc'))).toEqual([0, 1, 2].map((number) => ({ number })));
    expect(await Array.fromAsync(stream(''))).toEqual([]);
  });

  it('brings what came before an error, then the error', async () => {
    serve(async function* () {
      yield { number: 1 };
      throw new PeerAiError('BUDGET_SPENT', 'nothing left');
    });
    const got: Answer[] = [];
    const reading = (async () => {
      for await (const answer of stream()) got.push(answer);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'BUDGET_SPENT' });
    expect(got).toEqual([{ number: 1 }]);
  });

  it('stops the other side when the reader leaves the loop', async () => {
    const returned = Promise.withResolvers<void>();
    let made = 0;
    serve(async function* () {
      try {
        for (;;) yield { number: (made += 1) };
      } finally {
        returned.resolve();
      }
    });
    for await (const { number } of stream()) if (number === 3) break;
    await returned.promise;
    const madeThen = made;
    await settle();
    expect(made).toBe(madeThen);
  });

  it('stops the other side, also one that waits, when the caller’s signal fires', async () => {
    const gone = Promise.withResolvers<void>();
    serve(async function* (_, { signal }) {
      yield { number: 1 };
      await untilAborted(signal).catch(() => gone.resolve());
    });
    const answers = stream();
    await answers.next();
    const next = answers.next();
    stopping.abort(new PeerAiError('ABORTED', 'enough'));
    await expect(next).rejects.toMatchObject({ code: 'ABORTED', message: 'enough' });
    await gone.promise;
  });

  it('may last longer than the method’s time as long as each answer comes within it', async () => {
    serve(async function* () {
      for (let number = 0; number < 5; number += 1) {
        await clock.sleep(number === 4 ? 1_001 : 900);
        yield { number };
      }
    });
    const got: Answer[] = [];
    const reading = (async () => {
      for await (const answer of stream()) got.push(answer);
    })();
    const ended = expect(reading).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(5_000);
    await ended;
    expect(got).toHaveLength(4);
  });
});

describe('A server', () => {
  it('tells a caller whose first frame is no request, and serves the next', async () => {
    serve(async () => ({ number: 1 }));
    const malformed = [
      utf8('junk'),
      frame.encode({ kind: 'end', body: undefined, error: undefined }),
      new Uint8Array(),
    ];
    for (const first of malformed) {
      const channel = await here.open(server, method.protocol, { signal: stopping.signal });
      await channel.send(first);
      const { value } = await channel[Symbol.asyncIterator]().next();
      expect(frame.decode(value as Uint8Array).error?.code).toBe('INVALID_FORMAT');
    }
    expect(await call()).toEqual({ number: 1 });
  });

  it('drops a caller that opens and asks nothing, when it has a clock', async () => {
    serve(async () => ({ number: 1 }), { clock });
    const channel = await here.open(server, method.protocol, { signal: stopping.signal });
    await clock.advance(1_000);
    const { value } = await channel[Symbol.asyncIterator]().next();
    expect(frame.decode(value as Uint8Array).error?.code).toBe('TIMEOUT');
  });

  it('answers no more once disposed', async () => {
    serve(async () => ({ number: 1 }))[Symbol.dispose]();
    await expect(call()).rejects.toMatchObject({ code: 'REFUSED' });
  });
});

describe('An error on the wire', () => {
  it('is cut to its limits, and drops details that are too long or no JSON', () => {
    const limit = limits.rpcErrorMessageBytesMax;
    expect(describeError(new PeerAiError('A', 'x'.repeat(limit))).message).toHaveLength(limit);
    expect(utf8(describeError(new PeerAiError('A', 'é'.repeat(limit))).message).length).toBeLessThanOrEqual(limit);
    const details = (text: string) => describeError(new PeerAiError('A', '', { text })).detailsJson;
    const most = limits.rpcErrorDetailsBytesMax - '{"text":""}'.length;
    expect(details('x'.repeat(most))).toBeDefined();
    expect(details('x'.repeat(most + 1))).toBeUndefined();
    const heard = (length: number) => {
      const detailsJson = JSON.stringify({ text: 'x'.repeat(length) });
      return readError({ code: 'A', message: '', detailsJson, retryAfterMs: undefined }).details;
    };
    expect(heard(most)).toEqual({ text: 'x'.repeat(most) });
    expect(heard(most + 1)).toEqual({});
    expect(describeError(new PeerAiError('A', '', { big: 1n })).detailsJson).toBeUndefined();
  });

  it('is INTERNAL when it is not ours, even with a code that looks like it', () => {
    const failure = Object.assign(new Error('no such file /home/me/key'), { code: 'ENOENT' });
    expect(describeError(failure)).toMatchObject({ code: 'INTERNAL', message: 'the other side failed' });
    expect(describeError(undefined)).toMatchObject({ code: 'INTERNAL' });
  });

  it('is INTERNAL when its code is none, and its details cannot reach a prototype', () => {
    const wire = { code: 'lower case', message: 'm', detailsJson: undefined, retryAfterMs: undefined };
    expect(readError(wire)).toMatchObject({ code: 'INTERNAL' });
    const read = readError({ ...wire, code: 'A', detailsJson: '{"__proto__":{"polluted":true}}' });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(read.details)).toBe(Object.prototype);
    expect(readError({ ...wire, code: 'A', detailsJson: '[1]' }).details).toEqual({});
  });
});

describe('jsonCodec', () => {
  const codec = jsonCodec((value) => {
    if (typeof value !== 'object' || value === null || !('n' in value)) throw new TypeError('no n');
    return value;
  });

  it('brings a checked value back', () => {
    expect(codec.decode(codec.encode({ n: 'é' }))).toEqual({ n: 'é' });
  });

  it.each([utf8('{'), utf8('{}'), Uint8Array.of(0xff), concatBytes(utf8('{"n":1}'), utf8('x'))])(
    'refuses %s with INVALID_FORMAT',
    (text) => {
      expect(() => codec.decode(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    },
  );
});

describe('A frame', () => {
  it('keeps its field numbers', () => {
    expect([...frame.encode({ kind: 'response', body: Uint8Array.of(9), error: undefined })]).toEqual([8, 2, 18, 1, 9]);
    expect(bytes(2).number).toBe(2);
  });
});
