import { join } from 'node:path';
import { createIdentity, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { silentLogger as logger } from '@peerai/core-protocol/testing';
import { createMessenger, type PeerMessenger } from '@peerai/messaging';
import { type Mailbox, openMailbox } from '@peerai/messaging/mailbox';
import { createRouter, type Router } from '@peerai/messaging/route';
import { nodeRandom as random, openStore, systemClock as clock } from '@peerai/platform/node';
import { createTestNodes, type TestNodes } from '@peerai/transport/testing';

interface Way {
  readonly relays: readonly string[];
  /** Addresses of peers to stay connected to. */
  readonly knows: readonly string[];
}
export interface LetterAgent {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  readonly messenger: PeerMessenger;
  readonly mailbox: Mailbox;
  readonly router: Router;
  readonly texts: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/** A peer on a real node, with its messages in a file. */
async function start(folder: string, nodes: TestNodes, name: string, seed: Uint8Array, way: Way): Promise<LetterAgent> {
  const { relays, knows } = way;
  const node = await nodes.agent({ relays, bootstrap: knows }, { seed, isGranted: () => true });
  const store = await openStore(join(folder, `${name}.db`));
  const identity = createIdentity(crypto, seed);
  const world = { identity, crypto, clock, random, logger, network: node.network };
  const about = () => ({ name, agent: 'test/1' });
  const room = store.room('mailbox');
  const mailbox = await openMailbox({ ...world, store: room, isFriend: () => true, relays: () => relays, about });
  const { records, keyring, depot } = mailbox;
  const everybody = (): boolean => true;
  const router = createRouter({ ...world, records, keyring, isFriend: everybody, mayRoute: everybody });
  const messenger = createMessenger({ ...world, store: store.room('messages'), depot, carriers: [router.carrier] });
  const texts = store.room('texts');
  const all = async () => (await Array.fromAsync(texts.range('', '\u{10ffff}'))).map(({ value }) => toHex(value));
  let count = (await all()).length;
  messenger.handle('text', async ({ payload }) => {
    count += 1;
    return [texts.put(String(count).padStart(6, '0'), utf8(String(payload)))];
  });
  const ending = new AbortController();
  await messenger.start(ending.signal);
  mailbox.start(messenger, ending.signal);
  router.start(messenger, ending.signal);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      ending.abort();
      await mailbox.stop();
      await messenger.stop();
      await node.stop();
      await store.close();
    })());
  return { peer: identity.peer, addresses: node.network.addresses(), messenger, mailbox, router, texts: all, stop };
}

/** Peers of one test, stopped together. */
export function createLetterAgents(folder: string): {
  agent(name: string, seed: Uint8Array, way: Way): Promise<LetterAgent>;
  stopAll(): Promise<void>;
} {
  const nodes = createTestNodes();
  const agents: LetterAgent[] = [];
  return {
    async agent(name, seed, way) {
      const made = await start(folder, nodes, name, seed, way);
      agents.push(made);
      return made;
    },
    async stopAll() {
      for (const one of agents.splice(0)) await one.stop();
      await nodes.stopAll();
    },
  };
}
