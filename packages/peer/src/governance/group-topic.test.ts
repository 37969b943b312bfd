import {
  createIdentity,
  type Identity,
  nobleCrypto as crypto,
  type PeerId,
  toHex,
  type Topics,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { ManualClock, seededRandom, settle } from '@peerai/core-protocol/testing';
import { agreementLimits, encodeGenesis, faultsOf, type Genesis, groupIdOf } from '@peerai/ledger/agreement';
import { describe, expect, test } from 'vitest';
import { type GroupTopic, openGroupTopic } from './group-topic.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { createTopicSeal, type TopicLetter } from './topic-seal.ts';

type Judge = Parameters<Topics['subscribe']>[1];

/** The agreement's message that says where somebody stands, of so many bytes. */
const form = wire.message({
  where: wire.nested(
    6,
    wire.message({ height: wire.uint53(1), view: wire.uint32(2), missing: wire.uint32(3), wants: wire.bytes(4) }),
  ),
});
const said = (height: number, wants = 0) =>
  form.encode({ where: { height, view: 1, missing: 1, wants: new Uint8Array(wants) } });
const sized = (bytes: number): Uint8Array => {
  for (let wants = bytes; wants > 0; wants -= 1) if (said(1, wants).length === bytes) return said(1, wants);
  throw new Error('no message has so many bytes');
};
const random = seededRandom(7);
const someone = (): Identity => createIdentity(crypto, random.bytes(32));
const stop = new AbortController().signal;

/** One member that listens, and others who say what they like to it. */
function listener(count = 4) {
  const clock = new ManualClock();
  const identities = Array.from({ length: count }, someone);
  const [self, ...others] = identities as [Identity, Identity, ...Identity[]];
  const genesis: Genesis = {
    version: 1,
    name: 'us',
    members: identities.map(({ peer }) => peer),
    nonce: random.bytes(16),
  };
  const published: Uint8Array[] = [];
  let gate: Promise<void> = Promise.resolve();
  let take: (bytes: Uint8Array) => void = () => undefined;
  let judge: Judge = () => 'accept';
  const topics: Topics = {
    async publish(_, bytes) {
      published.push(bytes);
      await gate;
    },
    subscribe(_, judged, signal) {
      judge = judged;
      const waiting: Uint8Array[] = [];
      let wake = Promise.withResolvers<void>();
      take = (bytes) => {
        waiting.push(bytes);
        wake.resolve();
      };
      return (async function* () {
        while (!signal.aborted) {
          yield* waiting.splice(0);
          await wake.promise;
          wake = Promise.withResolvers();
        }
      })();
    },
  };
  const heard: [PeerId, Uint8Array][] = [];
  const deps = { crypto, random, clock, topics };
  const options = {
    genesis,
    members: () => genesis.members,
    hear: (...one: [PeerId, Uint8Array]) => void heard.push(one),
    signal: stop,
  };
  const topic: GroupTopic = openGroupTopic({ ...deps, identity: self }, options);
  const sealOf = (identity: Identity, of: Genesis = genesis) =>
    createTopicSeal({ ...deps, identity }, encodeGenesis(of));
  let number = 0;
  const letter = (more: Partial<TopicLetter> = {}): TopicLetter => ({
    number: (number += 1),
    to: [],
    message: said(number),
    ...more,
  });
  /** What the judge says of bytes that `from` wrote and `via` brought. */
  const bring = (bytes: Uint8Array, from: PeerId, via = from) => {
    const verdict = judge(bytes, from, via);
    if (verdict === 'accept') take(bytes);
    return verdict;
  };
  const say = (identity: Identity, more: Partial<TopicLetter> = {}) =>
    bring(sealOf(identity).seal(letter(more)), identity.peer);
  const open = (bytes: Uint8Array) => sealOf(someone()).open(bytes, self.peer);
  const close = () => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return held.resolve;
  };
  return { clock, self, others, genesis, topic, heard, published, sealOf, letter, bring, say, open, close };
}
const at = <T>(list: readonly T[], place: number): T => list.at(place) as T;

describe('what is on a group’s topic', () => {
  test('is read by whoever has the genesis, and by nobody who has the id of the group alone', () => {
    const { genesis, sealOf, letter, others } = listener();
    const [author] = others as [Identity];
    const bytes = sealOf(author).seal(letter());
    expect(sealOf(someone()).open(bytes, author.peer)?.message).toEqual(said(1));
    const id = groupIdOf(crypto, genesis);
    const guesses = [
      id,
      utf8(toHex(id)),
      encodeGenesis({ ...genesis, nonce: new Uint8Array(agreementLimits.nonceBytes) }),
    ];
    for (const guess of guesses) {
      const outsider = createTopicSeal({ crypto, random, identity: author }, guess);
      expect(outsider.name).not.toBe(sealOf(author).name);
      expect(outsider.open(bytes, author.peer)).toBeUndefined();
    }
    expect(sealOf(author).name).toMatch(/^sealed\/[0-9a-f]{64}$/u);
    expect(sealOf(author).name).not.toContain(toHex(id).slice(0, 8));
  });

  test('never has the same bytes twice', () => {
    const { sealOf, others } = listener();
    const seal = sealOf(at(others, 0));
    const one = { number: 1, to: [], message: said(1) };
    expect(seal.seal(one)).not.toEqual(seal.seal(one));
  });

  test('opens for nobody once a bit is another, nor as another author’s, nor on another group’s topic', () => {
    const { sealOf, letter, bring, others, genesis, heard } = listener();
    const [author, other] = others as [Identity, Identity];
    const bytes = sealOf(author).seal(letter());
    for (let place = 0; place < bytes.length; place += 1) {
      const changed = bytes.slice();
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(bring(changed, author.peer)).toBe('reject');
    }
    expect(bring(bytes, other.peer)).toBe('reject');
    const elsewhere = sealOf(author, { ...genesis, name: 'them' }).seal(letter());
    expect(bring(elsewhere, author.peer)).toBe('reject');
    expect(bring(bytes, author.peer)).toBe('accept');
    expect(heard).toEqual([]);
  });

  test('is no garbage: what does not open or is no message counts against its author, not against who hands it on', async () => {
    const { sealOf, letter, bring, others, heard } = listener();
    const [author, relay] = others as [Identity, Identity];
    const message = utf8('no message');
    const bad = () => sealOf(author).seal(letter({ message }));
    expect([bring(bad(), author.peer), bring(bad(), author.peer, relay.peer)]).toEqual(['reject', 'ignore']);
    expect([bring(message, author.peer), bring(message, author.peer, relay.peer)]).toEqual(['reject', 'ignore']);
    expect(bring(sealOf(author).seal(letter()), author.peer, relay.peer)).toBe('accept');
    await settle();
    expect(heard).toEqual([[author.peer, said(3)]]);
  });

  test('has messages of `topicMessageBytesMax` bytes, which fit gossip with as many readers as there may be, and none of one more', () => {
    const { say, others, sealOf } = listener();
    const [author] = others as [Identity];
    const most = sized(limits.topicMessageBytesMax);
    expect(say(author, { message: most })).toBe('accept');
    expect(say(author, { message: sized(limits.topicMessageBytesMax + 1) })).toBe('reject');
    const to = Array.from({ length: agreementLimits.membersMax }, () => author.peer);
    const longest = sealOf(author).seal({ number: Number.MAX_SAFE_INTEGER, to, message: most });
    expect(longest.length).toBeLessThanOrEqual(65_536);
  });

  test('goes on to whom it is for, and is read by nobody else', async () => {
    const { say, others, self, heard } = listener();
    const [author, other] = others as [Identity, Identity];
    expect(say(author, { to: [other.peer] })).toBe('pass');
    expect(say(author, { to: [other.peer, self.peer] })).toBe('accept');
    await settle();
    expect(heard).toEqual([[author.peer, said(2)]]);
  });
});

describe('what somebody kept and brings again', () => {
  test('is heard once, however old it is', async () => {
    const { sealOf, letter, bring, others, topic, clock } = listener();
    const [author] = others as [Identity];
    const old = Array.from({ length: limits.topicNumbersKept + 1 }, () => sealOf(author).seal(letter()));
    const verdicts = (list: readonly Uint8Array[]) => new Set(list.map((bytes) => bring(bytes, author.peer)));
    // One of them comes late: so many later ones are remembered beside it.
    expect(verdicts(old.slice(1))).toEqual(new Set(['accept']));
    expect(verdicts(old.slice(0, 1))).toEqual(new Set(['ignore']));
    await clock.advance(limits.topicHeardMs + 1);
    expect([...verdicts(old), topic.hears(author.peer)]).toEqual(['ignore', false]);
  });

  test('takes nothing from its author’s rate', () => {
    const { sealOf, letter, bring, say, others } = listener();
    const [author] = others as [Identity];
    const kept = sealOf(author).seal(letter());
    for (let count = 0; count <= limits.topicBurstTaken; count += 1) bring(kept, author.peer);
    expect(say(author)).toBe('accept');
  });
});

describe('a flood', () => {
  test('of one author ends at its burst and goes on at its rate, and takes nothing from others', async () => {
    const { say, others, clock } = listener();
    const [loud, other] = others as [Identity, Identity];
    const taken = (count: number) =>
      Array.from({ length: count }, () => say(loud)).filter((one) => one === 'accept').length;
    expect(taken(limits.topicBurstTaken + 1)).toBe(limits.topicBurstTaken);
    expect(say(other)).toBe('accept');
    await clock.advance(60_000 / limits.topicPerMinuteTaken - 1);
    expect(taken(1)).toBe(0);
    await clock.advance(1_000);
    const perSecond = limits.topicPerMinuteTaken / 60;
    expect(taken(2 * perSecond)).toBe(perSecond);
  });

  test('of names that are no members has what one member has, together', () => {
    const { say, others } = listener();
    const names = Array.from({ length: 8 }, someone);
    let taken = 0;
    for (let count = 0; count <= limits.topicBurstTaken; count += 1)
      if (say(at(names, count % 8)) === 'accept') taken += 1;
    expect(taken).toBe(limits.topicBurstTaken);
    expect(say(at(others, 0))).toBe('accept');
  });

  test('of names makes nobody forget a member, of which `topicAuthorsMax` are remembered with them', () => {
    const { sealOf, letter, bring, say, others } = listener();
    const [author] = others as [Identity];
    const kept = sealOf(author).seal(letter());
    bring(kept, author.peer);
    const first = someone();
    const its = sealOf(first).seal(letter());
    bring(its, first.peer);
    for (let count = 2; count < limits.topicAuthorsMax; count += 1) say(someone());
    expect([bring(its, first.peer), bring(kept, author.peer)]).toEqual(['ignore', 'ignore']);
    for (let count = 0; count < limits.topicAuthorsMax; count += 1) say(someone());
    expect([bring(its, first.peer), bring(kept, author.peer)]).toEqual(['accept', 'ignore']);
  });
});

describe('what a member says', () => {
  test('waits for gossip, `topicWaitingMax` messages at most; of more the oldest goes', async () => {
    const { topic, published, open, close } = listener();
    const go = close();
    topic.say(said(1));
    for (let height = 2; height <= limits.topicWaitingMax + 2; height += 1) topic.say(said(height));
    go();
    await settle();
    const heights = published.map((bytes) => form.decode(open(bytes)?.message ?? new Uint8Array()).where.height);
    expect(heights).toEqual([1, ...Array.from({ length: limits.topicWaitingMax }, (_, place) => place + 3)]);
  });

  test('comes at its burst, then at its rate, with numbers that grow from the time of day', async () => {
    const { topic, published, open, clock } = listener();
    const startMs = clock.nowMs();
    for (let height = 1; height <= limits.topicBurst + 2; height += 1) {
      topic.say(said(height));
      if (height % limits.topicWaitingMax === 0) await settle();
    }
    await settle();
    expect(published).toHaveLength(limits.topicBurst);
    await clock.advance(Math.ceil(60_000 / limits.topicPerMinute) - 1);
    expect(published).toHaveLength(limits.topicBurst);
    await clock.advance(1);
    expect(published).toHaveLength(limits.topicBurst + 1);
    const numbers = published.map((bytes) => open(bytes)?.number ?? 0);
    expect(numbers).toEqual(numbers.map((_, place) => startMs + place));
  });

  test('to several at once is said once while it waits', async () => {
    const { topic, published, open, close, others } = listener();
    const go = close();
    topic.say(said(1));
    for (const { peer } of others) topic.say(said(2), [peer]);
    topic.say(said(2));
    go();
    await settle();
    expect(published.map((bytes) => open(bytes)?.to)).toEqual([[], others.map(({ peer }) => peer), []]);
  });

  test('at length to one is said after a moment, unless one more than may lie did before', async () => {
    const { topic, published, say, others, clock } = listener(7);
    const asker = at(others, 0).peer;
    const long = sized(limits.topicLargeBytes + 1);
    const waitMs = 7 * limits.topicAnswerMs;
    const answered = async (others: readonly Identity[], message = long) => {
      const before = published.length;
      topic.say(long, [asker]);
      for (const one of others) say(one, { message, to: [asker] });
      await clock.advance(waitMs);
      return published.length - before;
    };
    const [, ...rest] = others;
    const liars = faultsOf(7);
    expect(await answered([])).toBe(1);
    expect(await answered(rest.slice(0, liars))).toBe(1);
    expect(await answered(rest.slice(0, liars + 1))).toBe(0);
    // Short ones, and those of nobody, are no such answers.
    expect(await answered(rest.slice(0, liars + 1), sized(limits.topicLargeBytes))).toBe(1);
    expect(await answered(Array.from({ length: liars + 1 }, someone))).toBe(1);
    // A short one waits for nothing.
    const before = published.length;
    topic.say(sized(limits.topicLargeBytes), [asker]);
    await settle();
    expect(published.length).toBe(before + 1);
  });

  test('is known of whom it was for `topicHeardMs`', async () => {
    const { topic, say, others, clock } = listener();
    const [author, other] = others as [Identity, Identity];
    say(author);
    await clock.advance(limits.topicHeardMs);
    expect([author, other].map(({ peer }) => topic.hears(peer))).toEqual([true, false]);
    await clock.advance(1);
    expect(topic.hears(author.peer)).toBe(false);
  });
});
