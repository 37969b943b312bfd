import type { CryptoProvider, PeerId } from '@peerai/core-protocol';
import type { Relays } from '../links/relays.ts';
import type { PeerSettings } from '../peer-world.ts';
import { fingerprintView } from './fingerprint-view.ts';
import type { EngineFinding, NodeView } from './node.schema.ts';
import type { Reach } from './reach.ts';

export interface NodeViewDeps {
  readonly self: PeerId;
  readonly crypto: CryptoProvider;
  readonly settings: PeerSettings;
  readonly startedMs: number;
  /** Base URL of the local API. */
  readonly api: () => string;
  readonly addresses: () => readonly string[];
  readonly relays: Relays;
  readonly reach: Reach;
  readonly engines: () => readonly EngineFinding[];
  readonly answering: () => NodeView['answering'];
}

/** What this peer says of itself to its owner. */
export function createNodeView(deps: NodeViewDeps): () => NodeView {
  const { self, crypto, settings, startedMs, reach } = deps;
  return () => {
    const pageUrl = reach.pageUrl();
    return {
      v: 1,
      name: settings.name,
      peerId: self,
      fingerprint: fingerprintView(crypto, self),
      version: settings.version,
      startedMs,
      home: settings.home,
      api: deps.api(),
      addresses: [...deps.addresses()],
      relays: deps.relays.list().map(({ address, peer, state }) => ({
        address,
        ...(peer === undefined ? {} : { peerId: peer }),
        state,
      })),
      reach: reach.kind(),
      engines: [...deps.engines()],
      ...(pageUrl === undefined ? {} : { pageUrl }),
      answering: deps.answering(),
    };
  };
}
