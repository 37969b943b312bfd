import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../bytes.ts';
import type { PeerId, Topics } from '../../ports/index.ts';

export interface TopicsPair {
  readonly a: Topics;
  readonly b: Topics;
  readonly aPeer: PeerId;
  /** Who hands what `a` publishes to `b`; `a` itself unless said. */
  readonly viaPeer?: PeerId;
  /** Resolves when `a` knows that `b` has subscribed; gossip needs a moment. */
  ready?(topic: string): Promise<void>;
  stop?(): Promise<void>;
}

/** What every Topics keeps. @param makePair - two that are connected, for each test anew. */
export function topicsContract(name: string, makePair: () => Promise<TopicsPair> | TopicsPair): void {
  describe(`${name} keeps the Topics contract`, () => {
    let pair: TopicsPair;
    const topic = 'peerai/1/contract';
    beforeEach(async () => {
      pair = await makePair();
    });
    afterEach(async () => pair.stop?.());

    it('delivers what was published to those who subscribed, with its publisher and who brought it', async () => {
      const controller = new AbortController();
      let from: PeerId | undefined;
      let via: PeerId | undefined;
      const messages = pair.b.subscribe(
        topic,
        (_, author, neighbour) => {
          from = author;
          via = neighbour;
          return 'accept';
        },
        controller.signal,
      );
      const first = messages[Symbol.asyncIterator]().next();
      await pair.ready?.(topic);
      await pair.a.publish('peerai/1/other', utf8('not this'));
      await pair.a.publish(topic, utf8('this'));
      expect((await first).value).toEqual(utf8('this'));
      expect(from).toBe(pair.aPeer);
      expect(via).toBe(pair.viaPeer ?? pair.aPeer);
      controller.abort();
    });

    it('keeps back what the judge ignores or rejects', async () => {
      const controller = new AbortController();
      const messages = pair.b.subscribe(topic, ([first]) => (first === 1 ? 'ignore' : 'accept'), controller.signal);
      const next = messages[Symbol.asyncIterator]().next();
      await pair.ready?.(topic);
      await pair.a.publish(topic, Uint8Array.of(1));
      await pair.a.publish(topic, Uint8Array.of(2));
      expect((await next).value).toEqual(Uint8Array.of(2));
      controller.abort();
    });

    it('ends with its signal, also while it waits', async () => {
      const controller = new AbortController();
      const messages = pair.b.subscribe(topic, () => 'accept', controller.signal);
      const next = messages[Symbol.asyncIterator]().next();
      controller.abort();
      expect((await next).done).toBe(true);
    });
  });
}
