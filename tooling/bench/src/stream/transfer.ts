import type { Stream } from '@libp2p/interface';
import type { Channel, Protocol } from '@peerai/core-protocol';

/** What is sent in one reading, bytes: 64 MiB in messages of 64 KiB. */
export const messageBytes = 65_536;
export const transferBytes = 64 * 1_048_576;

export const bareProtocol = '/bench/bare/1';
export const channelProtocol: Protocol = {
  id: '/bench/channel/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: messageBytes,
  channelsPerPeerMax: 4,
};

const done = Uint8Array.of(1);

/** Reads a whole transfer from a bare stream, then answers one byte. */
export function receiveBare(stream: Stream): void {
  let missing = transferBytes;
  stream.addEventListener('message', ({ data }) => {
    missing -= data.byteLength;
    if (missing === 0) stream.send(done);
  });
}

/** Sends a whole transfer the way a careful user of libp2p does, and waits for the answer. */
export async function sendBare(stream: Stream, message: Uint8Array): Promise<void> {
  const answered = new Promise<void>((resolve, reject) => {
    stream.addEventListener('message', () => resolve());
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('the stream closed early')));
  });
  answered.catch(() => undefined);
  for (let sent = 0; sent < transferBytes; sent += message.length) {
    stream.send(message);
    while (stream.writableNeedsDrain && stream.status === 'open') await drainOrClose(stream);
  }
  await answered;
  await stream.close().catch(() => undefined);
}

/** `onDrain()` of @libp2p/utils 7.4.1 resolves at once after the first time. */
function drainOrClose(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.removeEventListener('drain', finish);
      stream.removeEventListener('close', finish);
      resolve();
    };
    stream.addEventListener('drain', finish);
    stream.addEventListener('close', finish);
  });
}

export async function receiveChannel(channel: Channel): Promise<void> {
  let missing = transferBytes;
  for await (const message of channel) {
    missing -= message.length;
    if (missing === 0) await channel.send(done);
  }
}

export async function sendChannel(channel: Channel, message: Uint8Array): Promise<void> {
  for (let sent = 0; sent < transferBytes; sent += message.length) await channel.send(message);
  for await (const answer of channel) if (answer.length === 1) break;
  await channel.close('DONE');
}
