import { fromBase64Url, fromHex, nobleCrypto, signedBytes, toHex, wire } from '@peerai/core-protocol';
import { verifyEvidence } from '@peerai/ledger/agreement';
import { afterEach, expect, test } from 'vitest';
import { live, until } from '../testing/steps.ts';
import { show, type Village, village } from '../testing/village.ts';
import { agreementProtocol, lineFrame } from './governance-protocol.ts';
import { governanceEvidenceSchema, governanceProposeSchema } from './governance.schema.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});

/** A statement's fields by docs/protocol/agreement.md, not by the code that reads them. */
const { bytes, message, nested, repeated, uint32, uint53 } = wire;
const statement = message({
  kind: uint32(1),
  group: bytes(2),
  epoch: uint53(3),
  height: uint53(4),
  view: uint32(5),
  parent: uint32(6),
  block: bytes(7),
});
const signed = message({ statement: nested(1, statement), signer: bytes(2), signature: bytes(3) });
const votes = message({ votes: repeated(bytes(4), 4) });
const notarize = 2;

test('who is seen to lie in a running group is told with the proof, which holds without that peer', async () => {
  const made = await village(2);
  villages.push(made);
  const { world, at, id } = made;
  const [honest, liar] = [at(0), at(1)];
  expect(await honest.peer.governance.evidence('village')).toEqual({ v: 1, group: id, lies: [] });
  world.kill(liar);
  // From here on nothing is decided: two of two are needed.
  const height = (await show(honest)).group.height + 1;
  const say = (mark: number): Uint8Array => {
    const block = new Uint8Array(32).fill(mark);
    const said = { kind: notarize, group: fromHex(id), epoch: 0, height, view: 1, parent: 0, block };
    const { identity } = liar;
    const signature = identity.sign(signedBytes('peerai/agreement/1 statement', statement.encode(said)));
    return signed.encode({ statement: said, signer: identity.publicKey, signature });
  };
  const network = world.networks.join(liar.identity.peer, { isGranted: () => true });
  const channel = await network.open(honest.identity.peer, agreementProtocol, { signal: live() });
  await channel.send(lineFrame.encode({ group: fromHex(id), message: votes.encode({ votes: [say(1), say(2)] }) }));
  await until(world.clock, async () => (await honest.peer.governance.evidence('village')).lies.length === 1);
  const found = governanceEvidenceSchema.strict().parse(await honest.peer.governance.evidence('village'));
  const lie = { peerId: liar.identity.peer, name: 'p1', kind: 'conflicting-notarize', epoch: 0, height, view: 1 };
  expect(found).toMatchObject({ group: id, lies: [lie] });
  const shown = await show(honest);
  const liars = shown.group.members.filter((one) => one.liar);
  expect(liars.map(({ name, lies }) => [name, lies])).toEqual([['p1', ['conflicting-notarize']]]);
  expect(shown.group.members.find((one) => one.own)?.lies).toEqual([]);
  // Alone it waits for nobody's vote for ever: it gives the attempt up, and says so in PBFT's word for that.
  expect(shown.round).toMatchObject({ height, attempt: 1, phase: null });
  const wish = governanceProposeSchema.parse({ title: 'x', action: { type: 'text' } });
  honest.peer.governance.propose('village', wish, live()).catch(() => undefined);
  await until(world.clock, async () => (await show(honest)).round?.phase === 'view-change');
  const proof = fromBase64Url(found.lies[0]?.evidence ?? '');
  const proven = verifyEvidence(nobleCrypto, proof);
  expect([proven.member, toHex(proven.group)]).toEqual([liar.identity.peer, id]);
});
