import type { Channel } from './channel.ts';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** The kinds of docs/protocol/rpc.md. */
const REQUEST = 1n;
const RESPONSE = 2n;
const END = 3n;
const ERROR = 4n;

/** One request, one answer. Throws the error's code. */
export async function call(channel: Channel, request: Buffer): Promise<Buffer> {
  for await (const answer of stream(channel, request)) return answer;
  throw new Refusal('INVALID_FORMAT', 'there was no answer');
}

/** One request, any number of answers; ends this side's half with the last one. Throws the error's code. */
export async function* stream(channel: Channel, request: Buffer): AsyncGenerator<Buffer> {
  await channel.send(rpcFrame(REQUEST, request));
  try {
    for (;;) {
      const message = await channel.next();
      if (message === undefined) return;
      const frame = readFields(message);
      const kind = numberOf(frame, 1);
      if (kind === END) return;
      if (kind === ERROR) throw errorOf(bytesOf(frame, 3));
      if (kind !== RESPONSE) throw new Refusal('INVALID_FORMAT', 'this is no answer');
      yield bodyOf(frame);
    }
  } finally {
    channel.end();
  }
}

function errorOf(bytes: Buffer): Refusal {
  const error = readFields(bytes);
  return new Refusal(bytesOf(error, 1).toString('utf8'), bytesOf(error, 2).toString('utf8'));
}

/** Answers the one request of a channel; a Refusal travels as its code, anything else as INTERNAL. */
export async function serve(channel: Channel, handle: (request: Buffer) => Promise<Buffer> | Buffer): Promise<void> {
  const message = await channel.next();
  if (message === undefined) return;
  try {
    const frame = readFields(message);
    if (numberOf(frame, 1) !== REQUEST) throw new Refusal('INVALID_FORMAT', 'a request comes first');
    await channel.send(rpcFrame(RESPONSE, await handle(bodyOf(frame))));
  } catch (error) {
    const code = error instanceof Refusal ? error.code : 'INTERNAL';
    const body = writeFields([
      [1, Buffer.from(code)],
      [2, Buffer.from('this was refused')],
    ]);
    const wire = writeFields([
      [1, ERROR],
      [3, body],
    ]);
    await channel.send(wire);
  }
  channel.end();
}

function rpcFrame(kind: bigint, body: Buffer): Buffer {
  return writeFields([
    [1, kind],
    [2, body],
  ]);
}

function bodyOf(frame: ReturnType<typeof readFields>): Buffer {
  return frame.some(([number]) => number === 2) ? bytesOf(frame, 2) : Buffer.alloc(0);
}
