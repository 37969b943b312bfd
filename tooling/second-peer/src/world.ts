import { randomBytes } from 'node:crypto';
import type { PeerId } from '@libp2p/interface';
import { type RunningAgent, startTestnet, type Testnet } from '@peerai/testnet';
import { type Identity, identityOf } from './identity.ts';
import { Node } from './node.ts';
import { bytesOf, type Field, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { stream } from './rpc.ts';
import { proofOf, readTicket, type Ticket } from './ticket.ts';

/** A running agent and this peer beside it. */
export interface World {
  readonly testnet: Testnet;
  readonly agent: RunningAgent;
  readonly identity: Identity;
  readonly node: Node;
  stop(): Promise<void>;
}

/** Starts an agent with the scripted engine, its relay, and this peer under the key of that seed. */
export async function startWorld(
  env: Readonly<Record<string, string>> = {},
  seed: Buffer = randomBytes(32),
): Promise<World> {
  const testnet = await startTestnet({ agents: 1, relays: 1, engine: 'scripted', names: ['first'], env });
  const [agent] = testnet.agents;
  if (agent === undefined) throw new Error('one agent was asked for');
  const node = await Node.start(seed);
  const stop = async (): Promise<void> => {
    await Promise.all([node.stop(), testnet.stop()]);
  };
  return { testnet, agent, identity: identityOf(seed), node, stop };
}

export interface Paired {
  readonly peer: PeerId;
  readonly ticket: Ticket;
  /** What the inviter called itself and allows. */
  readonly name: string;
  readonly allow: readonly string[];
  /** The names of the pictures that the inviter's screen showed. */
  readonly pictures: readonly string[];
}

/** Joins the agent as docs/protocol/pairing.md says; its owner accepts. */
export async function pairWith({ agent, node, identity }: World, name: string): Promise<Paired> {
  const { link } = await agent.client.invite(['chat', 'tasks']);
  const ticket = readTicket(link);
  const peer = await node.dial(agent.info.addresses);
  const request: Field[] = [
    [1, proofOf(ticket, identity.publicKey)],
    [2, Buffer.from(name)],
    ...node.addresses.map((address) => [3, Buffer.from(address)] as const),
  ];
  const channel = await node.open(peer, '/peerai/pair/1');
  let pictures: readonly string[] = [];
  for await (const bytes of stream(channel, writeFields(request))) {
    const answer = readFields(bytes);
    const state = numberOf(answer, 1);
    if (state === 1n) pictures = await accept(agent, identity);
    else if (state === 2n) {
      return { peer, ticket, name: bytesOf(answer, 2).toString('utf8'), allow: textsOf(answer, 4), pictures };
    } else throw new Error(`the pairing ended with state ${String(state)}`);
  }
  throw new Error('the pairing ended without an answer');
}

async function accept(agent: RunningAgent, identity: Identity): Promise<readonly string[]> {
  const { pending } = await agent.client.pairings();
  const pairing = pending.find(({ peerId }) => peerId === identity.peerId);
  if (pairing === undefined) throw new Error('the inviter shows no such pairing');
  await agent.client.acceptPairing(pairing.id);
  return pairing.emojiNames;
}
