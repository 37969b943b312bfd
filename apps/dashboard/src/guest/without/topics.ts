/**
 * Stands in for transport's topics in the guest's page: a guest takes part in no topic, and gossip would be a seventh of its download.
 * It has what `assemble.ts` uses of them, reaches nobody and hears nothing.
 */
export const topicPrefix = 'peerai/1/';

export const gossipService = (): (() => object) => () => ({});

export function keepGossipStreams(): void {}

export const createTopics = () => ({
  subscribers: () => [],
  publish: async () => undefined,
  subscribe: (_topic: string, _judge: unknown, signal: AbortSignal) => ({
    [Symbol.asyncIterator]: () => ({ next: () => ended(signal) }),
  }),
});

async function ended(signal: AbortSignal): Promise<{ readonly done: true; readonly value: undefined }> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return { done: true, value: undefined };
}
