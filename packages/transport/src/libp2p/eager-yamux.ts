import type { CreateStreamOptions, Stream, StreamMuxerFactory } from '@libp2p/interface';
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux';
import { proposal } from '../channel/negotiation.ts';

/** Streams whose protocol was proposed and not yet echoed: whoever reads them takes the echo off first. */
const eager = new WeakSet<Stream>();
export const isEager = (stream: Stream): boolean => eager.has(stream);

/**
 * yamux whose streams, when opened with `negotiateFully: false`, propose their protocol and do not wait for the echo. libp2p 3.3 declares that
 * option, but its multistream-select 7 waits whatever it says; a muxer however may name a stream's protocol itself, and then libp2p does not
 * negotiate. The answering side runs libp2p's own multistream-select, unchanged.
 */
export function eagerYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const make = yamux(init);
  return () => {
    const factory = make();
    return {
      protocol: factory.protocol,
      createStreamMuxer(connection) {
        const muxer = factory.createStreamMuxer(connection);
        const create = muxer.createStream.bind(muxer);
        muxer.createStream = async (options?: CreateStreamOptions & { readonly negotiateFully?: boolean }) => {
          const stream = await create(options);
          if (options?.negotiateFully !== false || options.protocol === undefined) return stream;
          stream.protocol = options.protocol;
          stream.send(proposal(options.protocol));
          eager.add(stream);
          return stream;
        };
        return muxer;
      },
    };
  };
}
