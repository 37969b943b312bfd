/**
 * Stands in for `@libp2p/gossipsub` in the guest's page: a guest takes part in no topic, and gossip would be a seventh of its download.
 * It has the surface that transport uses, reaches nobody and hears nothing.
 */
export const TopicValidatorResult = { Accept: 'accept', Ignore: 'ignore', Reject: 'reject' } as const;

export function gossipsub(): () => object {
  return () =>
    Object.assign(new EventTarget(), {
      topicValidators: new Map<string, unknown>(),
      getTopics: () => [],
      getSubscribers: () => [],
      subscribe() {},
      unsubscribe() {},
      publish: async () => ({ recipients: [] }),
    });
}
