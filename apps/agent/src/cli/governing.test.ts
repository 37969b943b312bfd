import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { utf8 } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { openLedger } from '@peerai/ledger';
import { evidenceOfSize } from '@peerai/ledger/witness';
import type {
  GovernanceDetail,
  GovernanceLogView,
  GovernanceSaidView,
  LogsView,
  MessageCheckView,
} from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, pairUp, upAs } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  [desk, laptop] = await Promise.all([upAs('desk', folders.make()), upAs('laptop', folders.make())]);
  await pairUp(desk, laptop);
}, 120_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});
/** What somebody with the disk could do while the agent runs: the text of a kept message is another. */
function changeOnDisk({ home }: Agent, from: string, to: string): void {
  const database = new DatabaseSync(join(home, 'peerai.db'), { timeout: 5_000 });
  const rows = Buffer.from('messages\0in/').toString('hex').toUpperCase();
  const change = `UPDATE rows SET value = CAST(replace(CAST(value AS TEXT), ?, ?) AS BLOB) WHERE hex(key) LIKE '%${rows}%' AND instr(CAST(value AS TEXT), ?) > 0`;
  expect(database.prepare(change).run(from, to, from).changes).toBe(1);
  database.close();
}
const patient = { timeout: 30_000, interval: 250 };

test(
  'messages that are kept are held against the log, and the other device signs its head',
  { timeout: 120_000 },
  async () => {
    for (const [place, text] of ['hello', 'good morning'].entries()) {
      expect((await laptop.run(['send', 'desk', text])).code).toBe(0);
      await vi.waitFor(async () => {
        const found = await desk.json<MessageCheckView>(['ledger', 'check']);
        expect(found).toMatchObject({ ok: true, kept: place + 1, received: place + 1, missing: [] });
      }, patient);
    }
    expect((await desk.run(['ledger', 'check'])).stdout).toMatch(
      /^✓ 2 messages kept; the log has 2 received and 0 sent: all have their entry\.$/mu,
    );
    expect(await desk.run(['ledger', 'check', 'now'])).toMatchObject({ code: 2, stdout: '' });
    changeOnDisk(desk, 'hello', 'hullo');
    expect(await desk.run(['ledger', 'check'])).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(/^⊗ 2 messages kept; .*: 1 message has no entry/u),
    });
    changeOnDisk(desk, 'hullo', 'hello');

    expect((await desk.run(['ledger', 'witness'])).stdout).toMatch(
      /^This log: \d+ entr(?:y|ies); laptop \(.+\) signed it at \d+/u,
    );
    const { own } = await desk.json<LogsView>(['ledger', 'origins']);
    expect(own.cosigners).toMatchObject([{ peerId: laptop.info.peerId, name: 'laptop' }]);
    expect((await laptop.run(['ledger', 'witness'])).stdout).toMatch(/^This peer stands for desk at \d+\.$/mu);
    expect(await desk.run(['ledger', 'witness', 'laptop'])).toMatchObject({ code: 2, stdout: '' });
  },
);

/** Two heads of one size that one key signed over two histories. */
async function fork() {
  const head = async (text: string) => {
    const world = memoryWorld({ seed: 3, crypto: nodeCrypto });
    const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
    await ledger.append([{ kind: 'note', body: utf8(text) }]);
    return { origin: ledger.origin, note: (await ledger.checkpoint()).note };
  };
  const [one, other] = [await head('a'), await head('b')];
  const evidence = evidenceOfSize(nodeCrypto, one.note, other.note);
  if (evidence === undefined) throw new Error('these heads prove nothing');
  return { origin: one.origin, evidence };
}

test(
  'who was proven to have two histories is pardoned by the owner’s word, and refused again by it',
  { timeout: 120_000 },
  async () => {
    const { origin, evidence } = await fork();
    const file = join(desk.home, 'other.fork');
    writeFileSync(file, evidence);
    expect((await desk.run(['ledger', 'evidence', '--add', file])).stdout).toMatch(
      /signed two histories .*: refused\./u,
    );
    expect((await desk.run(['ledger', 'pardon', origin])).stdout).toContain('not refused here');
    expect((await desk.json<LogsView>(['ledger', 'origins'])).forked).toMatchObject([{ origin, refused: false }]);
    const { forked } = await desk.json<LogsView>(['ledger', 'pardon', origin.slice(0, 16), '--off']);
    expect(forked).toMatchObject([{ origin, refused: true }]);
    expect(await desk.run(['ledger', 'pardon', 'laptop'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing is proven'),
    });
    expect(await desk.run(['ledger', 'pardon'])).toMatchObject({ code: 2 });
  },
);

/** What a group's chain says, without the key that its devices make meanwhile. */
const linesOf = async (agent: Agent): Promise<GovernanceLogView['lines']> => {
  const { lines } = await agent.json<GovernanceLogView>(['gov', 'log', 'home']);
  return lines.filter(({ what }) => what !== 'head-key').toReversed();
};

test('two devices make a group, propose, vote, and read what was decided', { timeout: 180_000 }, async () => {
  expect((await desk.run(['gov', 'create', 'home', '--with', 'laptop'])).stdout).toMatch(/^Made home; 2 of 2 decide/u);
  expect(await desk.run(['gov', 'create', 'other', '--with', 'nobody'])).toMatchObject({ code: 1 });
  await vi.waitFor(async () => expect((await laptop.run(['gov'])).stdout).toMatch(/home\s+invited/u), patient);
  expect((await laptop.run(['gov', 'join', 'home'])).stdout).toContain('home');

  const { proposal } = await desk.json<GovernanceSaidView>([
    'gov',
    'propose',
    'home',
    'Dearer nodes',
    '--set',
    'incentives.node_hour_micro=0.75',
  ]);
  expect(await desk.run(['gov', 'propose', 'home', 'Two', '--set', 'a=1', '--refuse', 'x'])).toMatchObject({ code: 2 });
  expect(await desk.run(['gov', 'propose', 'home', 'None', '--set', 'nothing=1'])).toMatchObject({ code: 2 });
  const id = proposal.slice(0, 12);
  await vi.waitFor(
    async () => expect((await laptop.run(['gov', 'show', 'home'])).stdout).toContain('Dearer nodes'),
    patient,
  );
  expect(await laptop.run(['gov', 'vote', 'home', id, 'maybe'])).toMatchObject({ code: 2 });
  expect((await desk.run(['gov', 'vote', 'home', id, 'yes'])).stdout).toMatch(/^Counted in block \d+: yes/u);
  expect(await desk.run(['gov', 'vote', 'home', id, 'no'])).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/each member says it once[^]*VOTE_REFUSED/u),
  });
  expect((await laptop.run(['gov', 'vote', 'home', id, 'yes'])).stdout).toMatch(/^Counted in block \d+: yes/u);

  for (const agent of [desk, laptop])
    await vi.waitFor(async () => {
      const { decisions, policy } = await agent.json<GovernanceDetail>(['gov', 'show', 'home']);
      expect(decisions).toMatchObject([{ id: proposal, result: 'accepted', yes: 2, electors: 2 }]);
      expect(policy.find(({ name }) => name === 'incentives.node_hour_micro')?.value).toBe(750_000);
    }, patient);
  expect((await laptop.run(['gov', 'show', 'home'])).stdout).toMatch(
    /Dearer nodes\s+set incentives\.node_hour_micro to 750000\s+2 yes, 0 no/u,
  );
  const [ours, theirs] = await Promise.all([desk, laptop].map(linesOf));
  const taken = (lines: typeof ours) => lines?.filter(({ refused }) => refused === null);
  expect(taken(ours)?.map(({ what, detail }) => `${what} ${what === 'vote' ? detail : ''}`)).toEqual([
    'proposal ',
    'vote yes',
    'vote yes',
    'close ',
  ]);
  expect(taken(theirs)).toEqual(taken(ours));
  const refused = ours?.find(({ what, detail }) => what === 'vote' && detail === 'no')?.refused;
  expect(refused).toEqual(expect.any(String));
  expect((await laptop.run(['gov', 'log', 'home'])).stdout).toMatch(/BLOCK\s+BY\s+WHAT[^]*not taken: it was said/u);
  for (const verb of ['show', 'log']) expect(await desk.run(['gov', verb, 'nowhere'])).toMatchObject({ code: 1 });
});
