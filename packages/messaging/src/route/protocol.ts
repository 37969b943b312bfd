import { limits as coreLimits, type Method, wire } from '@peerai/core-protocol';
import { routeLimits } from './limits.ts';

/** What a hop is given: how far and how long it may still go, and a layer that only this hop opens. */
const packet = wire.message({ hopsLeft: wire.uint32(1), timeMs: wire.uint32(2), layer: wire.bytes(3) });
/** The last peer's answer, for the first one's eyes. */
const answered = wire.message({ answer: wire.bytes(1) });
export type Packet = ReturnType<typeof packet.decode>;

/** Inside a layer: where `inner` goes on to, or, for the last peer, the key of its answer and the padded content. */
export const layerCodec = wire.message({
  next: wire.optional(wire.string(1)),
  answerKey: wire.optional(wire.bytes(2)),
  inner: wire.bytes(3),
});

/** `/peerai/route/1`: one letter there, one answer back, over peers that forward for each other. */
export const routeMethod: Method<Packet, { readonly answer: Uint8Array }> = {
  protocol: {
    id: '/peerai/route/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: routeLimits.frameBytesMax,
    channelsPerPeerMax: routeLimits.channelsPerPeerMax,
  },
  request: packet,
  response: answered,
  timeoutMs: routeLimits.timeMsMax,
};

const nothing = wire.message({});
const path = wire.message({
  /** Peers behind the one that answers, the reached one last. */
  peers: wire.repeated(wire.string(1), routeLimits.hopsMax - 1),
  costMs: wire.uint32(2),
  /** Their signed records, in the same order. */
  records: wire.repeated(wire.bytes(3), routeLimits.hopsMax - 1),
});
const paths = wire.message({ paths: wire.repeated(wire.nested(1, path), routeLimits.pathsPerAnswerMax) });
export type PathsAnswer = ReturnType<typeof paths.decode>;

/** `/peerai/paths/1`: whom a peer would forward to for who asks. */
export const pathsMethod: Method<Readonly<Record<string, never>>, PathsAnswer> = {
  protocol: {
    id: '/peerai/paths/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: routeLimits.pathsBytesMax,
    channelsPerPeerMax: routeLimits.pathsChannelsPerPeerMax,
  },
  request: nothing,
  response: paths,
  timeoutMs: routeLimits.pathsMs,
};
/** Bytes of records that an answer may hold, so that it fits its frame. */
export const recordBytesPerAnswerMax = routeLimits.pathsBytesMax - 16 * coreLimits.recordBytesMax;
