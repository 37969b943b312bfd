import { limits } from '../limits.ts';
import type { Method } from '../rpc/method.ts';
import { message, optional, repeated, string } from '../wire/index.ts';

export const relayQuestion = message({});
/** What a relay says of itself to anyone who asks: its name, where its guest page is, how a browser reaches it. */
export const relayAnswer = message({
  name: string(1),
  version: string(2),
  /** Base of share links, without `#`; absent when this relay serves no page. */
  pageUrl: optional(string(3)),
  /** Multiaddrs, those a browser can dial first. */
  addresses: repeated(string(4), limits.relayAddressesMax),
});
export type RelayQuestion = Readonly<Record<string, never>>;
export type RelayAnswer = ReturnType<typeof relayAnswer.decode>;

/** `/peerai/relay/1`, answered by relays only. */
export const relayInfoMethod: Method<RelayQuestion, RelayAnswer> = {
  protocol: {
    id: '/peerai/relay/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: limits.relayAnswerBytesMax,
    channelsPerPeerMax: 2,
  },
  request: relayQuestion,
  response: relayAnswer,
  timeoutMs: limits.relayAnswerMs,
};
