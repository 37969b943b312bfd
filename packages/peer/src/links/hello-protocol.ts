import { limits as coreLimits, type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, optional, repeated, string, uint53 } = wire;

/** What paired devices tell each other when a link comes up. */
export const hello = message({
  name: string(1),
  version: string(2),
  addresses: repeated(string(3), coreLimits.recordAddressesMax),
  /** Base URL of its HTTP face, when others can reach one. */
  http: optional(string(4)),
  /** Its clock, wall time. */
  nowMs: optional(uint53(5)),
  /** Version of sessions that its HTTP face speaks; said here, under the link's keys, so that nobody on the way can take it away. */
  sessions: optional(wire.uint32(6)),
  /** The chain of receipts it uses with the asked one, then earlier ones: so that both use the same. */
  leases: repeated(bytes(7), limits.formerLeasesMax + 1),
  /** Version of the frames that letters to it may go in. */
  frames: optional(wire.uint32(8)),
});
export type Hello = ReturnType<typeof hello.decode>;

/** `/peerai/hello/1`: for paired devices. */
export const helloMethod: Method<Hello, Hello> = {
  protocol: {
    id: '/peerai/hello/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: 16_384,
    channelsPerPeerMax: 2,
  },
  request: hello,
  response: hello,
  timeoutMs: limits.questionMs,
};
