import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { decodeTicket } from '@peerai/core-protocol/access';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { createGuest, type Guest } from '@peerai/peer/guest';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';

export interface RunningGuest {
  readonly guest: Guest;
  /** One answer: its text, or the code it was refused with. */
  ask(text: string, maxTokens?: number): Promise<{ readonly text: string; readonly code: string | undefined }>;
  stop(): Promise<void>;
}

/** A guest with a share link and no browser: what the page does, over real sockets. */
export async function openGuest(link: string): Promise<RunningGuest> {
  const deps = testDeps();
  const { clock, random, seed } = deps;
  const ticket = decodeTicket(nobleCrypto, new URL(link).hash.slice(1));
  const node = await createAgentNode(deps, { listen: [], relays: [], bootstrap: [] });
  await node.start();
  const world = { clock, random, crypto: nobleCrypto, store: new MemoryStore(), network: node.network };
  const guest = await createGuest(world, createIdentity(nobleCrypto, seed), ticket);
  return {
    guest,
    async ask(content, maxTokens = 100) {
      let text = '';
      let code: string | undefined;
      for await (const event of guest.ask(
        [{ role: 'user', text: content }],
        { maxTokens },
        AbortSignal.timeout(20_000),
      )) {
        if (event.type === 'delta') text += event.text;
        if (event.type === 'error') code = event.code;
      }
      return { text, code };
    },
    stop: () => node.stop(),
  };
}
