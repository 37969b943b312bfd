import type { Channel, Clock, Network, PeerId, Protocol } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** One question whose answer is records, one a message, until the end. */
export interface RecordQuestion {
  readonly protocol: Protocol;
  readonly question: Uint8Array;
  /** More are not read. */
  readonly recordsMax: number;
  readonly signal: AbortSignal;
  /** Where to try besides the known places. */
  readonly addresses?: readonly string[] | undefined;
  readonly found: (record: Uint8Array) => void;
}

/** Asks one peer. Throws what `open` and the channel throw; what was found before is found. */
export async function askForRecords(network: Network, peer: PeerId, asked: RecordQuestion): Promise<void> {
  const { protocol, signal, addresses = [] } = asked;
  const channel = await network.open(peer, protocol, { signal, addresses });
  const stop = (): void => void channel.close('ABORTED');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await channel.send(asked.question);
    await channel.close();
    let count = 0;
    for await (const record of channel) {
      asked.found(record);
      count += 1;
      if (count >= asked.recordsMax) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    if (!channel.signal.aborted) void channel.close('ABORTED');
  }
}

/** Runs one answer: a channel on which nothing is asked, or whose answer nobody reads, ends too. */
export async function answerInTime(
  clock: Clock,
  channel: Channel,
  reply: (channel: Channel) => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const late = clock.deadline(limits.directoryAnswerMs, done.signal);
  const stop = (): void => void channel.close('TIMEOUT');
  late.addEventListener('abort', stop, { once: true });
  try {
    await reply(channel);
  } finally {
    late.removeEventListener('abort', stop);
    done.abort();
  }
}
