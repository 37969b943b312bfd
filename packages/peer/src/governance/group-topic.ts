import {
  type Clock,
  createTokenBucket,
  equalBytes,
  type PeerId,
  type TokenBucket,
  type Topics,
} from '@peerai/core-protocol';
import {
  agreementLimits,
  encodeGenesis,
  faultsOf,
  type Genesis,
  groupIdOf,
  isAgreementMessage,
  messagePieces,
} from '@peerai/ledger/agreement';
import { createHeardOnce } from './heard-once.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { createTopicSeal, type TopicLetter, type TopicSealDeps } from './topic-seal.ts';

export interface GroupTopicDeps extends TopicSealDeps {
  readonly clock: Clock;
  readonly topics: Topics;
}
export interface GroupTopicOptions {
  readonly genesis: Genesis;
  /** As this peer knows them now. */
  readonly members: () => readonly PeerId[];
  /** What came of another, sealed by it and in the agreement's form; each message once. */
  readonly hear: (from: PeerId, message: Uint8Array) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}
/** One group's topic of gossip: what its members say there is sealed, and goes no further than the first of them that finds it wrong. */
export interface GroupTopic {
  readonly name: string;
  /** For all, or for one alone; without waiting. What does not fit is told in pieces; a block that is too long is left out. */
  say(message: Uint8Array, to?: readonly [] | readonly [PeerId]): void;
  /** Heard here lately. */
  hears(peer: PeerId): boolean;
}
type Verdict = 'accept' | 'pass' | 'ignore' | 'reject';
interface Author {
  readonly isNew: (number: number) => boolean;
  readonly rate: TokenBucket;
  heardMs: number;
}
interface Waiting {
  readonly message: Uint8Array;
  to: readonly PeerId[];
}

/** Joins at once. */
export function openGroupTopic(deps: GroupTopicDeps, options: GroupTopicOptions): GroupTopic {
  const { crypto, clock, random, identity, topics } = deps;
  const { genesis, members, hear, signal } = options;
  const self = identity.peer;
  const group = groupIdOf(crypto, genesis);
  const seal = createTopicSeal(deps, encodeGenesis(genesis));
  const taken = { burst: limits.topicBurstTaken, perMinute: limits.topicPerMinuteTaken };
  const authors = new Map<PeerId, Author>();
  /** Whoever has the genesis can make itself many names, so all of them share what one member has. */
  const strangers = createTokenBucket(clock, taken);
  const own = createTokenBucket(clock, { burst: limits.topicBurst, perMinute: limits.topicPerMinute });
  /** Which members gave a member a large answer, and when last. */
  const answers = new Map<PeerId, Map<PeerId, number>>();
  const letters = new WeakMap<Uint8Array, TopicLetter & { readonly from: PeerId }>();
  const queue: Waiting[] = [];
  let number = 0;
  let isPumping = false;

  const authorOf = (peer: PeerId): Author => {
    const known = authors.get(peer);
    const isMember = members().includes(peer);
    const isRated = known !== undefined && known.rate !== strangers;
    const author: Author = {
      isNew: known?.isNew ?? createHeardOnce(limits.topicNumbersKept),
      rate: isMember ? (isRated ? known.rate : createTokenBucket(clock, taken)) : strangers,
      heardMs: known?.heardMs ?? -Infinity,
    };
    // Who spoke last is forgotten last.
    authors.delete(peer);
    authors.set(peer, author);
    if (authors.size <= limits.topicAuthorsMax) return author;
    const now = new Set(members());
    const all = [...authors.keys()];
    const gone = all.find((one) => !now.has(one)) ?? all[0];
    if (gone !== undefined) authors.delete(gone);
    return author;
  };
  const judge = (bytes: Uint8Array, from: PeerId, via: PeerId): Verdict => {
    // A relay that hands it on cannot know: who wrote it is blamed, where it brings it itself.
    const wrong = from === via ? 'reject' : 'ignore';
    if (from === self) return 'ignore';
    const letter = seal.open(bytes, from);
    if (letter === undefined || letter.message.length > limits.topicMessageBytesMax) return wrong;
    const author = authorOf(from);
    if (!author.isNew(letter.number) || author.rate.take() > 0) return 'ignore';
    if (!isAgreementMessage(crypto, group, letter.message)) return wrong;
    author.heardMs = clock.elapsedMs();
    noteAnswer(from, letter);
    if (letter.to.length > 0 && !letter.to.includes(self)) return 'pass';
    letters.set(bytes, { ...letter, from });
    return 'accept';
  };
  const noteAnswer = (from: PeerId, { to, message }: TopicLetter): void => {
    if (message.length <= limits.topicLargeBytes) return;
    const now = members();
    if (!now.includes(from)) return;
    for (const peer of to) {
      if (!now.includes(peer)) continue;
      const given = answers.get(peer) ?? new Map<PeerId, number>();
      answers.set(peer, given.set(from, clock.elapsedMs()));
    }
  };
  const heard = topics.subscribe(seal.name, judge, signal);
  void (async () => {
    for await (const bytes of heard) {
      const letter = letters.get(bytes);
      if (letter !== undefined && !signal.aborted) hear(letter.from, letter.message);
    }
  })();

  const pump = async (): Promise<void> => {
    if (isPumping) return;
    isPumping = true;
    try {
      for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
        for (let waitMs = own.take(); waitMs > 0; waitMs = own.take()) await clock.sleep(waitMs, signal);
        number = Math.max(number + 1, Math.trunc(clock.nowMs()));
        await topics.publish(seal.name, seal.seal({ ...next, number }));
      }
    } finally {
      isPumping = false;
    }
  };
  const enqueue = (message: Uint8Array, to: readonly PeerId[]): void => {
    const same = queue.find((one) => one.to.length > 0 === to.length > 0 && equalBytes(one.message, message));
    const both = new Set([...(same?.to ?? []), ...to]);
    if (same !== undefined && both.size <= agreementLimits.membersMax) {
      same.to = [...both];
      return;
    }
    queue.push({ message, to });
    if (queue.length > limits.topicWaitingMax) queue.shift();
    // Gossip that does not run, or has enough for now: what counts is said again.
    void pump().catch(() => undefined);
  };
  /** Of many who could answer somebody at length a few do: one more than may lie. */
  const answer = async (message: Uint8Array, to: PeerId): Promise<void> => {
    const askedMs = clock.elapsedMs();
    const count = members().length;
    const [chance = 0] = random.bytes(1);
    await clock.sleep(Math.ceil((limits.topicAnswerMs * count * chance) / 255), signal);
    const others = [...(answers.get(to)?.values() ?? [])].filter((atMs) => atMs >= askedMs).length;
    if (others <= faultsOf(count)) enqueue(message, [to]);
  };
  return {
    name: seal.name,
    say(message, to = []) {
      const pieces = messagePieces(message, limits.topicMessageBytesMax);
      const [only] = to;
      const [first] = pieces;
      if (only === undefined || message.length <= limits.topicLargeBytes) for (const one of pieces) enqueue(one, to);
      // Who can use the first piece asks this one for more.
      else if (first !== undefined) void answer(first, only).catch(() => undefined);
    },
    hears(peer) {
      const author = authors.get(peer);
      return author !== undefined && clock.elapsedMs() - author.heardMs <= limits.topicHeardMs;
    },
  };
}
