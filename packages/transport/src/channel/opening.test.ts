import type { Stream } from '@libp2p/interface';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { encodeCredit, encodeFrame, windowBytes } from './frame.ts';
import { createLinkTurns } from './link-turns.ts';
import { createHeart } from './heartbeat.ts';
import { createMessageChannel } from './message-channel.ts';
import { createNegotiation, proposal } from './negotiation.ts';

const messageBytesMax = 100_000;
const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0));

/** One end of a stream: what is written is counted, what arrives is handed in. */
class FakeStream extends EventTarget {
  status = 'open';
  writeStatus = 'writable';
  remoteWriteStatus = 'writable';
  writableNeedsDrain = false;
  readableEnded = false;
  readBufferLength = 0;
  written: Uint8Array[] = [];
  send(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }
  arrive(...frames: readonly Uint8Array[]): void {
    for (const data of frames) this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
  abort(): void {
    this.status = 'aborted';
  }
  async close(): Promise<void> {
    this.status = 'closed';
  }
}

function make(parts: { readonly negotiation?: ReturnType<typeof createNegotiation> } = {}, roundTripMs = 0) {
  const stream = new FakeStream();
  const link = { roundTripMs };
  const meter = {
    link: link as never,
    lateTicks: 0,
    sent: () => undefined,
    received: () => undefined,
    turns: createLinkTurns(),
  };
  const heart = createHeart(new ManualClock());
  const opened = createMessageChannel({
    stream: stream as unknown as Stream,
    meter,
    heart,
    messageBytesMax,
    priority: 'normal',
    ...parts,
  });
  return { stream, measured: (ms: number) => void (link.roundTripMs = ms), ...opened };
}
const head = limits.frameHeadBytes;
const bytesOf = (frames: readonly Uint8Array[]): number => frames.reduce((sum, { length }) => sum + length, 0);

test('each side first tells the rest of its window: what is left after the credit both know', () => {
  const { stream } = make();
  expect(stream.written).toEqual([encodeCredit(windowBytes(messageBytesMax) - limits.openingCreditBytes)]);
});

test('messages up to the opening credit leave before the other side has said a word; one byte more waits', async () => {
  const { stream, channel } = make();
  stream.written = [];
  const message = limits.openingCreditBytes / 2 - head;
  const sent = [channel.send(new Uint8Array(message)), channel.send(new Uint8Array(message))];
  await Promise.all(sent);
  expect(bytesOf(stream.written)).toBe(limits.openingCreditBytes);
  const waiting = channel.send(new Uint8Array());
  await turn();
  expect(bytesOf(stream.written)).toBe(limits.openingCreditBytes);
  stream.arrive(encodeCredit(head));
  await waiting;
  expect(bytesOf(stream.written)).toBe(limits.openingCreditBytes + head);
});

test('one message a byte longer than the opening credit waits for the window', async () => {
  const { stream, channel } = make();
  stream.written = [];
  const waiting = channel.send(new Uint8Array(limits.openingCreditBytes - head + 1));
  await turn();
  expect(stream.written).toEqual([]);
  stream.arrive(encodeCredit(1));
  await waiting;
  expect(stream.written).toHaveLength(1);
});

test('the window is the same: what was sent on the opening credit counts against it', async () => {
  const { stream, channel } = make();
  const window = windowBytes(messageBytesMax);
  const frame = encodeFrame('data', new Uint8Array(messageBytesMax));
  const fit = Math.floor(window / frame.length);
  for (let count = 0; count < fit; count += 1) stream.arrive(frame);
  stream.arrive(encodeFrame('data', new Uint8Array(window - fit * frame.length - head)));
  expect(channel.signal.aborted).toBe(false);
  stream.arrive(encodeFrame('data'));
  expect(channel.signal.reason).toMatchObject({ details: { code: 'LIMIT_EXCEEDED' } });
});

test('the echo of the protocol comes before the frames and is none; the first credit is the yes', async () => {
  const { stream, accepted } = make({ negotiation: createNegotiation('/peerai/test/1') });
  let welcome = false;
  void accepted.then(() => (welcome = true));
  stream.arrive(proposal('/peerai/test/1'));
  await turn();
  expect(welcome).toBe(false);
  stream.arrive(encodeCredit(1));
  await turn();
  expect(welcome).toBe(true);
});

test('a refusal by code, by `na` or by nonsense is told apart', async () => {
  const refused = make();
  refused.stream.arrive(encodeFrame('reset', new TextEncoder().encode('LIMIT_REACHED')));
  await expect(refused.accepted).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  const unknown = make({ negotiation: createNegotiation('/peerai/test/1') });
  unknown.stream.arrive(new TextEncoder().encode('\u0013/multistream/1.0.0\n\u0003na\n'));
  await expect(unknown.accepted).rejects.toMatchObject({ code: 'REFUSED', details: { reason: 'unsupported' } });
  const nonsense = make({ negotiation: createNegotiation('/peerai/test/1') });
  nonsense.stream.arrive(new TextEncoder().encode('HTTP'));
  await expect(nonsense.accepted).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('on a far link the window is larger, up to a bound', () => {
  const told = (roundTripMs: number): unknown => make({}, roundTripMs).stream.written;
  const rest = (window: number): unknown => [encodeCredit(window - limits.openingCreditBytes)];
  expect(told(50)).toEqual(rest(limits.creditWindowBytes));
  expect(told(200)).toEqual(rest(200 * limits.creditBytesPerMs));
  expect(told(10_000)).toEqual(rest(limits.creditWindowBytesMax));
});

test('a channel that was opened before its link was measured is given the rest of the larger window', async () => {
  const { stream, channel, measured } = make();
  const reading = channel[Symbol.asyncIterator]();
  stream.written = [];
  stream.arrive(encodeFrame('data', new Uint8Array(10)));
  await reading.next();
  expect(stream.written).toEqual([]);
  measured(200);
  stream.arrive(encodeFrame('data', new Uint8Array(10)));
  await reading.next();
  const grown = 200 * limits.creditBytesPerMs - limits.creditWindowBytes;
  expect(stream.written).toEqual([encodeCredit(grown + 2 * (head + 10))]);
});
