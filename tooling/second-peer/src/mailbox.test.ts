import { afterAll, beforeAll, expect, test } from 'vitest';
import { letterOf } from './letter.ts';
import { mailbox, readReceipt, readRecord, writeRecord, writeSealedLetter } from './mailbox.ts';
import { bytesOf, type Field, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';
import { letterKeyOf, open, seal } from './seal.ts';
import { pairWith, startWorld, type World } from './world.ts';

/** A receiver looks into its mailbox when the relay's link comes up, at the latest 30 s later. */
const LOOK_MS = 50_000;

let world: World;
beforeAll(async () => void (world = await startWorld()), 60_000);
afterAll(async () => world?.stop(), 30_000);

test('what was sealed is opened by its key only, and by nobody when a byte changed', () => {
  const [own, other] = [letterKeyOf(), letterKeyOf()];
  const sealed = seal(own.publicKey, Buffer.from('for one'));
  expect(open(own, sealed).toString()).toBe('for one');
  expect(() => open(other, sealed)).toThrow(Refusal);
  expect(() => open(own, sealed, 'hop')).toThrow(Refusal);
  sealed[sealed.length - 1] = (sealed[sealed.length - 1] ?? 0) ^ 1;
  expect(() => open(own, sealed)).toThrow(Refusal);
});

test(
  'a sealed letter for an agent that is away waits at the relay, is taken once, and its receipt waits here',
  { timeout: 90_000 },
  async () => {
    const { agent, node, identity, testnet } = world;
    const own = letterKeyOf();
    const addresses = testnet.relays[0]?.info.addresses ?? [];
    const relay = await node.dial(addresses);
    const ask = async (request: Buffer): Promise<Field[]> =>
      readFields(await node.call(relay, '/peerai/mailbox/1', request));
    expect(await ask(mailbox.register())).toEqual([]);

    const record = (): Buffer =>
      writeFields([
        [
          1,
          writeRecord(identity, {
            name: 'second',
            addresses: node.addresses,
            sequence: Date.now(),
            expiresMs: Date.now() + 86_400_000,
            letterKey: own.publicKey,
            mailboxes: addresses.slice(0, 1),
          }),
        ],
      ]);
    await node.answer('/peerai/record/1', record);
    const { peer, ticket } = await pairWith(world, 'second');
    const given = async () => readRecord(bytesOf(readFields(await node.call(peer, '/peerai/record/1', record())), 1));
    // A record names the relay once that has registered the mailbox.
    await expect.poll(async () => (await given()).mailboxes.length, { timeout: 20_000 }).toBe(1);
    const { letterKey, signer } = await given();
    expect(signer).toEqual(ticket.provider.key);

    await agent.child.stop();
    const letter = letterOf({ text: 'left at the relay' }, Date.now(), 3_600_000);
    for (let copy = 0; copy < 2; copy += 1) {
      const sealed = seal(letterKey, writeSealedLetter(identity, agent.info.peerId, 'text', letter));
      expect(await ask(mailbox.leave(agent.info.peerId, sealed))).toEqual([]);
    }
    const again = await agent.restart();
    await expect
      .poll(async () => (await ask(mailbox.next(0n, []))).length, { timeout: LOOK_MS, interval: 500 })
      .toBe(2);
    const waiting = await ask(mailbox.next(0n, []));
    const receipt = readReceipt(open(own, bytesOf(waiting, 2)));
    expect(receipt).toEqual({ signer, recipient: identity.peerId, id: letter.id, outcome: 'taken' });
    const inbox = (await again.client.messages()).map(({ fromName, payload }) => [fromName, payload]);
    expect(inbox).toEqual([['second', { text: 'left at the relay' }]]);

    // What is done goes; the receipt of the second copy may wait behind it.
    const place = numberOf(waiting, 1);
    expect(numberOf(await ask(mailbox.next(0n, [place])), 1)).not.toBe(place);
    expect(numberOf(await ask(mailbox.next(0n, [])), 1)).not.toBe(place);
  },
);
