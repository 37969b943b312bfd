import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIdentity, type PeerId, type Protocol, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { joinSealed } from '../testing/sealed-memory.ts';

/** LINK_VECTORS=write writes the file again, after the protocol was changed on purpose. */
const file = join(import.meta.dirname, '../../../../docs/protocol/vectors/link.json');
const protocol: Protocol = {
  id: '/peerai/example/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_000,
  channelsPerPeerMax: 4,
};

/** One exchange and two channels under it, from fixed seeds: every message of every channel, in order. */
async function run() {
  const seeds = { initiator: new Uint8Array(32).fill(7), responder: new Uint8Array(32).fill(8) };
  const entropy = { initiator: seededRandom(7).bytes(144), responder: seededRandom(8).bytes(144) };
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  const messages: { channel: string; from: string; message_hex: string }[] = [];
  const side = (name: 'initiator' | 'responder') =>
    joinSealed(
      networks,
      { seed: seeds[name], random: { bytes: () => entropy[name].slice() } },
      {
        tap(message, { protocol: channel }) {
          messages.push({ channel, from: name, message_hex: toHex(message) });
          return [message];
        },
      },
    );
  const [initiator, responder] = [side('initiator'), side('responder')];
  responder.network.answer(protocol, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  const peer: PeerId = createIdentity(nodeCrypto, seeds.responder).peer;
  const said = [['hello', ''], ['again']];
  for (const texts of said) {
    const channel = await initiator.network.open(peer, protocol, { signal: new AbortController().signal });
    const incoming = channel[Symbol.asyncIterator]();
    for (const text of texts) {
      await channel.send(utf8(text));
      expect((await incoming.next()).value).toEqual(utf8(text));
    }
    await channel.close();
    expect(await incoming.next()).toMatchObject({ done: true });
  }
  return {
    seed_hex: { initiator: toHex(seeds.initiator), responder: toHex(seeds.responder) },
    entropy_hex: { initiator: toHex(entropy.initiator), responder: toHex(entropy.responder) },
    said,
    messages,
  };
}

test('link.json is what this program makes', async () => {
  const made = JSON.parse(JSON.stringify(await run())) as unknown;
  if (process.env['LINK_VECTORS'] === 'write') {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
  }
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(made);
});
