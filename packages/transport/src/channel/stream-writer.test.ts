import type { Stream } from '@libp2p/interface';
import { expect, test } from 'vitest';
import { createStreamWriter } from './stream-writer.ts';

/** As much of a libp2p stream as a writer sees; its onDrain is the broken one. */
class FakeStream extends EventTarget {
  status = 'open';
  writeStatus = 'writable';
  writableNeedsDrain = true;
  sent = 0;
  send(bytes: Uint8Array): boolean {
    if (this.writeStatus !== 'writable') throw new Error('Cannot write to a stream that is closed');
    this.sent += bytes.length;
    return false;
  }
  onDrain(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return new Promise(() => undefined);
  }
  abort(): void {
    this.status = 'aborted';
    this.writeStatus = 'closed';
    this.dispatchEvent(new Event('close'));
  }
}

function make() {
  const stream = new FakeStream();
  let counted = 0;
  const writer = createStreamWriter(stream as unknown as Stream, (bytes) => void (counted += bytes));
  return { stream, writer, counted: () => counted };
}

const pending = async (promise: Promise<unknown>): Promise<boolean> => {
  const marker = Symbol('pending');
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  return (await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 20, marker))])) === marker;
};

test('drained() waits for a real drain event, the second time as well', async () => {
  const { stream, writer } = make();
  for (let round = 0; round < 2; round += 1) {
    stream.writableNeedsDrain = true;
    const drained = writer.drained();
    expect(await pending(drained)).toBe(true);
    stream.writableNeedsDrain = false;
    stream.dispatchEvent(new Event('drain'));
    await drained;
  }
});

test('a drain event that leaves the stream full is not believed', async () => {
  const { stream, writer } = make();
  const drained = writer.drained();
  stream.dispatchEvent(new Event('drain'));
  expect(await pending(drained)).toBe(true);
  stream.writableNeedsDrain = false;
  stream.dispatchEvent(new Event('drain'));
  await drained;
});

test('a stream that closes instead of draining frees its writer', async () => {
  const { stream, writer } = make();
  const drained = writer.drained();
  stream.abort();
  await expect(drained).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('the synchronous throw of send becomes CHANNEL_CLOSED, and the bytes are not counted', () => {
  const { stream, writer, counted } = make();
  writer.write(Uint8Array.of(1));
  stream.writeStatus = 'closed';
  expect(() => writer.write(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }) as Error);
  expect(counted()).toBe(1);
});
