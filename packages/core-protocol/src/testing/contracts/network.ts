import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../bytes.ts';
import { PeerAiError } from '../../errors.ts';
import type { Channel, Link, Network, OpenOptions, PeerId, Protocol } from '../../ports/index.ts';

export interface NetworkPair {
  readonly a: Network;
  readonly b: Network;
  /** Where `a` finds `b`. */
  readonly addresses?: readonly string[];
  /** A peer nobody has heard of. */
  readonly stranger: PeerId;
  /** Lets `b` accept `granted` protocols of `a`, or not; nobody is granted at first. */
  grant(granted: boolean): void;
  stop?(): Promise<void>;
}

const echo: Protocol = {
  id: '/peerai/contract-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 4,
};

/** What every Network keeps. @param makePair - two that can reach each other, for each test anew. */
export function networkContract(name: string, makePair: () => Promise<NetworkPair> | NetworkPair): void {
  describe(`${name} keeps the Network contract`, () => {
    let pair: NetworkPair;
    const stopping: AbortController[] = [];
    beforeEach(async () => {
      pair = await makePair();
    });
    afterEach(async () => {
      for (const controller of stopping.splice(0)) controller.abort();
      await pair.stop?.();
    });
    const signal = (): AbortSignal => {
      const controller = new AbortController();
      stopping.push(controller);
      return controller.signal;
    };
    const open = (protocol = echo, options: Pick<OpenOptions, 'first'> = {}): Promise<Channel> =>
      pair.a.open(pair.b.self, protocol, {
        signal: signal(),
        ...(pair.addresses && { addresses: pair.addresses }),
        ...options,
      });
    const answerEcho = (protocol = echo): Disposable =>
      pair.b.answer(protocol, async (channel) => {
        for await (const message of channel) await channel.send(message);
      });

    it('carries whole messages both ways, in order, empty ones too', async () => {
      answerEcho();
      const channel = await open();
      const messages = ['one', '', 'three', 'x'.repeat(65_536)].map(utf8);
      for (const message of messages) await channel.send(message);
      await channel.close();
      expect(await collect(channel)).toEqual(messages);
    });

    it('names the other peer on both sides, and counts bytes', async () => {
      const seen = Promise.withResolvers<string>();
      pair.b.answer(echo, async (channel) => {
        seen.resolve(channel.link.peer);
        for await (const message of channel) await channel.send(message);
      });
      const channel = await open();
      expect(channel.link.peer).toBe(pair.b.self);
      expect(await seen.promise).toBe(pair.a.self);
      await channel.send(utf8('12345678'));
      await channel[Symbol.asyncIterator]().next();
      expect(channel.link.bytesSent).toBeGreaterThanOrEqual(8);
      expect(channel.link.bytesReceived).toBeGreaterThanOrEqual(8);
      expect(channel.link.state).toBe('up');
    });

    it('sends a first message with the opening, however long it takes to be there, before all others', async () => {
      answerEcho();
      const later = new Promise<Uint8Array>((resolve) => void setTimeout(resolve, 50, utf8('first')));
      const channel = await open(echo, { first: later });
      await channel.send(utf8('second'));
      await channel.close();
      expect(await collect(channel)).toEqual([utf8('first'), utf8('second')]);
    });

    it('gives the error of a first message that does not come, and closes the channel', async () => {
      const gone = Promise.withResolvers<void>();
      pair.b.answer(echo, async (channel) => {
        channel.signal.addEventListener('abort', () => gone.resolve());
        for await (const _ of channel);
      });
      // The link is there: what is tested is the channel.
      await (await open()).close();
      const never = new Promise<Uint8Array>((_, reject) => {
        setTimeout(reject, 100, new PeerAiError('STORE_FULL', 'no room to write down what is asked'));
      });
      await expect(open(echo, { first: never })).rejects.toMatchObject({ code: 'STORE_FULL' });
      await gone.promise;
    });

    it('refuses an opening with a first message as one without', async () => {
      const granted = { ...echo, id: '/peerai/contract-granted/1', access: 'granted' } as const;
      let heard = 0;
      pair.b.answer(granted, async (channel) => {
        for await (const _ of channel) heard += 1;
      });
      const first = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(1_000));
      await expect(open(granted, { first: first() })).rejects.toMatchObject({ code: 'REFUSED' });
      await expect(open(echo, { first: first() })).rejects.toMatchObject({ code: 'REFUSED' });
      const tooLong = Promise.resolve(new Uint8Array(echo.messageBytesMax + 1));
      answerEcho();
      await expect(open(echo, { first: tooLong })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      expect(heard).toBe(0);
    });

    it('ends one half with close and still delivers the other', async () => {
      pair.b.answer(echo, async (channel) => {
        await channel.send(concatBytes(...(await collect(channel)), utf8('!')));
      });
      const channel = await open();
      await channel.send(utf8('all'));
      await channel.close();
      await channel.close();
      expect(await collect(channel)).toEqual([utf8('all!')]);
      await expect(channel.send(utf8('late'))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    });

    it('takes a message of the limit and refuses one byte more', async () => {
      answerEcho();
      const channel = await open();
      await expect(channel.send(new Uint8Array(65_537))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      await channel.send(new Uint8Array(65_536));
      await channel.close();
      expect((await collect(channel))[0]?.length).toBe(65_536);
    });

    it('makes a writer wait for a reader that does not read, and loses nothing', async () => {
      const readNow = Promise.withResolvers<void>();
      let receivedBytes = 0;
      pair.b.answer(echo, async (channel) => {
        await readNow.promise;
        for await (const message of channel) receivedBytes += message.length;
        await channel.send(utf8('done'));
      });
      const channel = await open();
      let sentBytes = 0;
      const writing = (async () => {
        for (let count = 0; count < 512; count += 1) {
          await channel.send(new Uint8Array(65_536));
          sentBytes += 65_536;
        }
        await channel.close();
      })();
      await quietly(() => sentBytes);
      expect(sentBytes).toBeLessThan(8 * 1_048_576);
      readNow.resolve();
      await writing;
      expect(await collect(channel)).toEqual([utf8('done')]);
      expect(receivedBytes).toBe(512 * 65_536);
    });

    it('refuses a protocol that nobody answers, before and after it was answered', async () => {
      await expect(open()).rejects.toMatchObject({ code: 'REFUSED' });
      answerEcho()[Symbol.dispose]();
      await expect(open()).rejects.toMatchObject({ code: 'REFUSED' });
    });

    it('lets only granted peers open a granted protocol', async () => {
      const granted = { ...echo, id: '/peerai/contract-granted/1', access: 'granted' } as const;
      answerEcho(granted);
      await expect(useOnce(() => open(granted))).rejects.toMatchObject({
        code: expect.stringMatching(/REFUSED|CHANNEL_CLOSED/),
      });
      pair.grant(true);
      expect(await useOnce(() => open(granted))).toEqual(utf8('hello'));
    });

    it('allows as many channels as the protocol says and refuses one more', async () => {
      answerEcho();
      const channels = await Promise.all(Array.from({ length: 4 }, () => open()));
      await expect(useOnce(() => open())).rejects.toMatchObject({
        code: expect.stringMatching(/LIMIT_REACHED|CHANNEL_CLOSED/),
      });
      for (const channel of channels) await channel.send(utf8('still here'));
      expect((await channels[0]?.[Symbol.asyncIterator]().next())?.value).toEqual(utf8('still here'));
    });

    it('tells the other side at once when a channel is reset', async () => {
      const gone = Promise.withResolvers<unknown>();
      pair.b.answer(echo, async (channel) => {
        channel.signal.addEventListener('abort', () => gone.resolve(channel.signal.reason));
        for await (const _ of channel);
      });
      const channel = await open();
      await channel.send(utf8('hello'));
      await channel.close('STOPPED');
      await channel.close('STOPPED');
      expect(channel.signal.aborted).toBe(true);
      expect(await gone.promise).toMatchObject({ code: 'CHANNEL_CLOSED' });
    });

    it('ends the channel when the handler fails or its answer is disposed', async () => {
      const answered = pair.b.answer(echo, async (channel) => {
        for await (const message of channel) if (message.length === 0) throw new Error('a bug');
      });
      const failing = await open();
      // Its sender may hear of it while it still waits for room (QUIC makes each write wait).
      await failing
        .send(new Uint8Array())
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'CHANNEL_CLOSED' }));
      await expect(collect(failing)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
      const waiting = await open();
      const ended = collect(waiting);
      answered[Symbol.dispose]();
      await expect(ended).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    });

    it('shows links as they are, then each change, and ends with its signal', async () => {
      answerEcho();
      await open();
      const controller = new AbortController();
      const states: [string, Link['state']][] = [];
      const watching = (async () => {
        for await (const link of pair.a.links(controller.signal)) states.push([link.peer, link.state]);
      })();
      await quietly(() => states.length);
      expect(states).toContainEqual([pair.b.self, 'up']);
      await pair.a.disconnect(pair.b.self);
      await quietly(() => states.length);
      expect(states.at(-1)).toEqual([pair.b.self, 'down']);
      controller.abort();
      await watching;
    });

    it('ends every channel of a link that is closed, here at once and then on the other side', async () => {
      let here = 0;
      const gone = Promise.withResolvers<void>();
      pair.b.answer(echo, async (channel) => {
        here += 1;
        channel.signal.addEventListener('abort', () => {
          here -= 1;
          if (here === 0) gone.resolve();
        });
        for await (const _ of channel);
      });
      const channels = [await open(), await open(), await open()];
      for (const channel of channels) await channel.send(utf8('hello'));
      await quietly(() => here);
      await pair.a.disconnect(pair.b.self);
      expect(channels.map(({ signal: { aborted } }) => aborted)).toEqual([true, true, true]);
      await gone.promise;
      await expect(channels[0]?.send(utf8('x'))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    });

    it('says which addresses it tried for a peer it cannot reach', async () => {
      await expect(pair.a.open(pair.stranger, echo, { signal: signal() })).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
        details: { attempts: expect.any(Array) },
      });
    });

    it('does not open anything for a caller that has gone', async () => {
      answerEcho();
      await expect(pair.a.open(pair.b.self, echo, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'ABORTED',
      });
    });

    it('names its own peer at the end of its addresses', () => {
      for (const address of pair.b.addresses()) expect(address.endsWith(`/p2p/${pair.b.self}`)).toBe(true);
    });
  });
}

async function collect(channel: Channel): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of channel) messages.push(message);
  return messages;
}

/** A refusal may come with `open` or with the first answer. */
async function useOnce(open: () => Promise<Channel>): Promise<Uint8Array | undefined> {
  const channel = await open();
  await channel.send(utf8('hello'));
  const { value } = await channel[Symbol.asyncIterator]().next();
  await channel.close('DONE');
  return value;
}

/** Waits until a figure has not changed for a while of real time. */
async function quietly(figure: () => number): Promise<void> {
  for (let last = Number.NaN, same = 0; same < 5;) {
    await new Promise<void>((resolve) => void setTimeout(resolve, 10));
    same = figure() === last ? same + 1 : 0;
    last = figure();
  }
}
