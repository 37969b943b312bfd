import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { Channel } from './channel.ts';
import { ByteStream } from './stream.ts';
import * as rpc from './rpc.ts';

/** What answers a request: the body that came and the peer it came from. */
export type Answerer = (request: Buffer, peerId: string) => Promise<Buffer> | Buffer;

/** Plain js-libp2p under one Ed25519 key, with the framings of docs/protocol on its streams. */
export class Node {
  readonly libp2p: Libp2p;

  private constructor(libp2p: Libp2p) {
    this.libp2p = libp2p;
  }

  static async start(seed: Uint8Array): Promise<Node> {
    const libp2p = await createLibp2p({
      privateKey: await generateKeyPairFromSeed('Ed25519', seed),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    });
    return new Node(libp2p);
  }

  get addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String);
  }

  /** Dials the first TCP address of these. */
  async dial(addresses: readonly string[]): Promise<PeerId> {
    const address = addresses.find((one) => /\/tcp\/\d+(\/p2p\/\w+)?$/.test(one));
    if (address === undefined) throw new Error('no TCP address');
    const target: Multiaddr = multiaddr(address);
    return (await this.libp2p.dial(target)).remotePeer;
  }

  async open(peer: PeerId, protocol: string): Promise<Channel> {
    return new Channel(await this.libp2p.dialProtocol(peer, protocol));
  }

  async openRaw(peer: PeerId, protocol: string): Promise<ByteStream> {
    return new ByteStream(await this.libp2p.dialProtocol(peer, protocol));
  }

  /** One request over a channel of its own. */
  async call(peer: PeerId, protocol: string, request: Buffer): Promise<Buffer> {
    return await rpc.call(await this.open(peer, protocol), request);
  }

  async answer(protocol: string, answerer: Answerer): Promise<void> {
    await this.libp2p.handle(protocol, (stream, connection) => {
      const peerId = connection.remotePeer.toString();
      void rpc.serve(new Channel(stream), (request) => answerer(request, peerId)).catch(() => undefined);
    });
  }

  async stop(): Promise<void> {
    await this.libp2p.stop();
  }
}
