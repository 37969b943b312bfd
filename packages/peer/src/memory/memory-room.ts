import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
} from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import {
  type CapsuleCard,
  type CapsuleId,
  capsuleText,
  lexicalEmbedder,
  type Memory,
  type MemoryOptions,
  openForget,
  openMemory,
  signForget,
  type TakeResult,
  type VectorIndexes,
} from '@peerai/nn-engine/memory';
import { eachPercent } from '../events/each-percent.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { goesOnFor } from '../pairing/newest-key.ts';
import { embedderView } from './embedder-view.ts';
import { createEmbedders, type EmbeddersDeps } from './embedders.ts';
import { keepEmbedded } from './embedding-again.ts';
import type {
  CapsuleDetail,
  ConsolidationUndoneView,
  ConsolidationView,
  KeptCapsuleView,
  MemoryAddedView,
  MemoryAddRequest,
  MemoryFoundView,
  MemoryGraphView,
  MemoryListQuestion,
  MemoryListView,
  MemorySearchRequest,
} from './memory.schema.ts';
import type { Copies } from './copies.ts';
import type { MemoryQuestion, MemoryReply } from './memory-protocol.ts';
import { linksOf } from './graph.ts';
import { recall, type Recalled, type RecallQuestion } from './recall.ts';
import { memorySecret } from './secret.ts';
import { createStated } from './stated.ts';
import { capsuleView, keptView, type Names } from './views.ts';

export interface MemoryRoomDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly store: Store;
  readonly logger: Logger;
  /** This peer's log, which says what it has for others. */
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly nameOf: (peer: PeerId) => string;
  /** Keys this peer had before. */
  readonly formerKeys: ReadonlySet<PeerId>;
  readonly devices: Pick<Devices, 'list'>;
  /** `auto`, `lexical` or `off`, or the name of a model on this machine that embeds. */
  readonly embedder: string;
  readonly findModel: EmbeddersDeps['find'];
  /** Models on this machine whose engines say that they are for embeddings. */
  readonly offeredEmbedders: EmbeddersDeps['offered'];
  /** A capsule came (true) or went. */
  readonly changed: (id: CapsuleId, isHere: boolean) => void;
  /** How far tidying is, for each whole percent. */
  readonly tidied: (step: string, done: number, all: number) => void;
  readonly copies: Copies;
  readonly indexes: ((secret: Uint8Array) => Promise<VectorIndexes>) | undefined;
  readonly stopping: AbortSignal;
}
/** What this peer remembers. A capsule is named by its id, or by a beginning of it that no other has (8 digits or more). */
export interface MemoryRoom {
  /** The same text again is another capsule. Throws INVALID_OPTION, LIMIT_EXCEEDED, MEMORY_FULL, STORE_FULL, ABORTED, what the engine throws. */
  add(request: MemoryAddRequest, signal: AbortSignal): Promise<MemoryAddedView>;
  /** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  list(question: MemoryListQuestion): Promise<Omit<MemoryListView, 'waiting'>>;
  /** Throws NOT_FOUND, DECRYPTION_FAILED. */
  get(id: string): Promise<CapsuleDetail>;
  /** The newest, and what binds them. */
  graph(): Promise<MemoryGraphView>;
  summaryOf(id: string): string | undefined;
  /** Of its data, when it is here. */
  bytesOf(id: string): number | undefined;
  /** Throws LIMIT_EXCEEDED, ABORTED. */
  search(request: MemorySearchRequest, signal: AbortSignal): Promise<MemoryFoundView>;
  /** What a model may read before it answers. Throws ABORTED, what the engine throws. */
  recall(question: RecallQuestion, signal: AbortSignal): Promise<readonly Recalled[]>;
  /** Throws NOT_FOUND. */
  forget(id: string): Promise<KeptCapsuleView>;
  /** Throws ABORTED, STORE_FULL. */
  consolidate(signal: AbortSignal): Promise<ConsolidationView>;
  /** Throws NOT_FOUND, EXPIRED, MEMORY_FULL. */
  undoConsolidation(): Promise<ConsolidationUndoneView>;
  /** The signed bytes for a paired peer; that it gets them is written down first. Throws NOT_FOUND, CAPSULE_PERSONAL, REFUSED for one of another peer that is not public. */
  handOut(id: string, peer: PeerId): Promise<{ readonly capsule: KeptCapsuleView; readonly signed: Uint8Array }>;
  /** A capsule that a peer shares. Throws what is wrong with it, MEMORY_FULL. */
  take(signed: Uint8Array): Promise<'taken' | 'known'>;
  /** An author's word to forget. False for what is not here. Throws REFUSED, INVALID_FORMAT, INVALID_SIGNATURE. */
  honour(signed: Uint8Array): Promise<boolean>;
  /** What a paired peer may find: what is public, and what is behavioral and of this peer. */
  searchFor(question: MemoryQuestion, signal: AbortSignal): AsyncIterable<MemoryReply>;
  /** The signed bytes for a paired peer that asks for them by their id; undefined for what is not here or not for it. */
  handTo(id: string): Promise<Uint8Array | undefined>;
  /** What other devices of this owner have too: capsules of the devices that `isOurs` names, personal ones, public ones; and what was forgotten. */
  ownIds(isOurs: (author: PeerId) => boolean): {
    readonly held: readonly CapsuleId[];
    readonly gone: readonly CapsuleId[];
  };
  /** For a device of this owner; undefined for what is not here any more. Throws DECRYPTION_FAILED. */
  giveOwn(id: CapsuleId): Promise<Uint8Array | undefined>;
  /** From a device of this owner. Throws STORE_FULL. */
  takeOwn(signed: readonly Uint8Array[]): Promise<readonly TakeResult[]>;
  /** As a device of this owner forgot them; how many were here. What this device wrote itself, its holders are told too. Throws LIMIT_EXCEEDED, STORE_FULL. */
  bury(ids: readonly CapsuleId[]): Promise<number>;
  stop(): Promise<void>;
}

/** Throws DECRYPTION_FAILED when the secret of the memory is damaged, and what the store throws. */
export async function openMemoryRoom(given: MemoryRoomDeps, options: MemoryOptions = {}): Promise<MemoryRoom> {
  const { indexes: makeIndexes, ...deps } = given;
  const { identity, clock, nameOf, changed } = deps;
  const embedders = createEmbedders({
    clock,
    setting: deps.embedder,
    find: deps.findModel,
    offered: deps.offeredEmbedders,
    store: deps.store.room('memory-embedder'),
  });
  const secret = await memorySecret(deps, identity);
  const indexes = await makeIndexes?.(secret);
  const memory = await openMemory(
    {
      ...deps,
      store: deps.store.room('memory'),
      secret,
      embedders: embedders.list,
      goesOnFor: (newer, older) => goesOnFor(deps.devices, newer, older),
      ...(indexes === undefined ? {} : { indexes }),
    },
    options,
  );
  const stated = createStated(deps, (id) => memory.card(id));
  const isOwn = (peer: PeerId): boolean => peer === identity.peer || deps.formerKeys.has(peer);
  /** Its holders, and those of what it replaced, are to be told to forget it. */
  const owe = async (id: CapsuleId): Promise<void> => {
    const relations = memory.card(id)?.relations ?? [];
    const replaced = relations.filter(({ kind }) => kind === 'replaces').map(({ capsule }) => capsule);
    for (const one of [id, ...replaced]) await deps.copies.owe(one, signForget(identity, one, clock.nowMs()));
  };
  const ended = new AbortController();
  const embedding = keepEmbedded({
    ...deps,
    memory,
    embedders,
    stopping: AbortSignal.any([deps.stopping, ended.signal]),
  });
  const embedderNow = () => embedderView(embedders, memory);
  const names: Names = { self: identity.peer, isOwn, nameOf };
  return {
    async add({ text, level = 'personal', tags = [], relations = [], summary, surprise }, signal) {
      await embedders.ready(signal);
      const draft = {
        text,
        level,
        tags,
        relations,
        ...(summary === undefined ? {} : { summary }),
        ...(surprise === undefined ? {} : { surprise }),
      };
      const card = await memory.add(draft, signal).catch((error: unknown) => {
        // An engine that is away, or cannot take this text, must not keep it from being remembered.
        if (signal.aborted || embedders.list[0] === lexicalEmbedder) throw error;
        return memory.add(draft, signal, lexicalEmbedder);
      });
      await stated.say(card);
      changed(card.id, true);
      return { v: 1, capsule: keptView(card, names), embedder: embedderNow() };
    },
    async list({ limit, after, level, tag }) {
      const page = memory.list({
        ...(limit === undefined ? {} : { limit }),
        ...(after === undefined ? {} : { after }),
        ...(level === undefined ? {} : { level }),
        ...(tag === undefined ? {} : { tags: [tag] }),
      });
      const { capsules, capsulesMax, bytes, bytesMax, ofOtherPeers, damaged } = memory.state();
      return {
        v: 1,
        capsules: page.capsules.map((card) => keptView(card, names)),
        ...(page.next === undefined ? {} : { next: page.next }),
        count: capsules,
        countMax: capsulesMax,
        bytes,
        bytesMax,
        ofOtherPeers,
        damaged: [...damaged],
        embedder: embedderNow(),
      };
    },
    async get(text) {
      const card = find(memory, text);
      const capsule = await memory.get(card.id);
      if (capsule === undefined) throw unknown(text);
      return { v: 1, ...keptView(card, names), text: capsuleText(capsule) ?? null };
    },
    async graph() {
      const { capsules } = memory.list({ limit: limits.memoryGraphCapsulesMax });
      const opened = await Promise.all(capsules.map(({ id }) => memory.get(id)));
      const links = linksOf(
        opened.filter((one) => one !== undefined),
        isOwn,
      );
      const views = capsules.map((card) => keptView(card, names));
      return { v: 1, capsules: views, links: [...links], count: memory.state().capsules };
    },
    summaryOf: (id) => memory.card(id)?.summary,
    bytesOf: (id) => memory.card(id)?.dataBytes,
    async search(request, signal) {
      await embedders.ready(signal);
      return { ...(await search(memory, names, request, signal)), embedder: embedderNow() };
    },
    async recall(question, signal) {
      await embedders.ready(signal);
      return recall(memory, names, question, signal);
    },
    async forget(text) {
      const card = find(memory, text);
      if (card.mine) await owe(card.id);
      if (!(await memory.forget(card.id))) throw unknown(text);
      void deps.copies.tell(deps.stopping);
      changed(card.id, false);
      return keptView(card, names);
    },
    async consolidate(signal) {
      const { undoUntilMs = null, ...done } = await memory.consolidate(signal, {}, eachPercent(deps.tidied));
      return { v: 1, ...done, undoUntilMs };
    },
    undoConsolidation: async () => ({ v: 1, restored: await memory.undoConsolidation() }),
    async handOut(text, peer) {
      const card = find(memory, text);
      const signed = await memory.handOut(card.id, 'paired');
      if (!card.mine && card.level !== 'public')
        throw new PeerAiError('REFUSED', 'another peer shared this capsule with this one alone', { id: card.id });
      if (card.mine) await deps.copies.note(card.id, peer);
      await stated.say(card);
      return { capsule: keptView(card, names), signed };
    },
    async take(signed) {
      const [result] = await memory.take([signed]);
      if (result === undefined || result.outcome === 'refused')
        throw new PeerAiError(result?.code ?? 'REFUSED', result?.reason ?? 'this capsule was not taken');
      if (result.outcome === 'taken') changed(result.id, true);
      return result.outcome;
    },
    async honour(signed) {
      const done = await memory.honourForget(signed);
      if (done) changed(openForget(deps.crypto, signed).capsule, false);
      return done;
    },
    async *searchFor({ text = '', tags, fromMs, toMs, qualityMin, level, limit = 10 }, signal) {
      if (text === '' || text.length > limits.memoryQuestionCharsMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `a question has 1 to ${limits.memoryQuestionCharsMax} characters`);
      await embedders.ready(signal);
      const { hits } = await memory.search(
        {
          text,
          tags,
          audience: 'paired',
          limit: limits.memoryHitsMax,
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(toMs === undefined ? {} : { toMs }),
          ...(qualityMin === undefined ? {} : { qualityMin }),
          ...(level === undefined ? {} : { level }),
        },
        signal,
      );
      const allowed = hits.filter(({ capsule }) => isForPaired(capsule));
      for (const { capsule, relevance, similarity, kind } of allowed.slice(
        0,
        Math.min(limit, limits.memorySharedHitsMax),
      )) {
        const card = memory.card(capsule.id);
        if (card === undefined) continue;
        const signed = await memory.handOut(capsule.id, 'paired');
        await stated.say(card);
        yield { outcome: 'hit', capsule: signed, score: relevance, similarity, by: kind };
      }
    },
    async handTo(id) {
      const card = memory.card(id);
      if (card === undefined || !isForPaired(card)) return undefined;
      const signed = await memory.handOut(id, 'paired');
      await stated.say(card);
      return signed;
    },
    ownIds: (isOurs) => ({
      held: [...all(memory)]
        .filter(({ mine, level, author }) => level !== 'behavioral' || mine || isOurs(author))
        .map(({ id }) => id),
      gone: memory.forgotten(),
    }),
    giveOwn: async (id) => (memory.card(id) === undefined ? undefined : memory.handOut(id, 'own')),
    async takeOwn(signed) {
      const results = await memory.takeOwn(signed);
      for (const result of results) if (result.outcome === 'taken') changed(result.id, true);
      return results;
    },
    async bury(ids) {
      for (const id of ids) if (memory.card(id)?.mine === true) await owe(id);
      const gone = await memory.bury(ids);
      void deps.copies.tell(deps.stopping);
      for (const id of gone) changed(id, false);
      return gone.length;
    },
    async stop() {
      ended.abort();
      await embedding;
      await memory.close();
    },
  };
}

/** Another's behavioral one was given to this peer alone. */
const isForPaired = ({ mine, level }: CapsuleCard): boolean => level === 'public' || (mine && level === 'behavioral');

async function search(
  memory: Memory,
  names: Names,
  { fromMs, toMs, qualityMin, level, text, tags = [], limit = 10 }: MemorySearchRequest,
  signal: AbortSignal,
): Promise<Omit<MemoryFoundView, 'embedder'>> {
  const answer = await memory.search(
    {
      text,
      tags,
      limit,
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
      ...(qualityMin === undefined ? {} : { qualityMin }),
      ...(level === undefined ? {} : { level }),
    },
    signal,
  );
  return {
    v: 1,
    hits: answer.hits.map(({ capsule, relevance, similarity, kind }) => ({
      capsule: capsuleView(capsule, names),
      score: relevance,
      similarity,
      kind,
      peerId: names.self,
      peerName: names.nameOf(names.self),
    })),
    searched: answer.searched,
    leftOut: answer.leftOut.map((one) => ({ ...one })),
    leftOutCount: answer.leftOutCount,
  };
}

/** Digits of a capsule's id that name it where no other begins with them. */
const idDigitsMin = 8;

/** Throws NOT_FOUND for none, for several, and for too short a beginning. */
function find(memory: Memory, text: string): CapsuleCard {
  const exact = memory.card(text);
  if (exact !== undefined) return exact;
  if (!/^[0-9a-f]{1,63}$/u.test(text)) throw unknown(text);
  if (text.length < idDigitsMin)
    throw new PeerAiError(
      'NOT_FOUND',
      `"${text}" names no capsule: a beginning of an id needs ${idDigitsMin} digits or more`,
    );
  const [card, second] = [...all(memory)].filter(({ id }) => id.startsWith(text));
  if (card === undefined) throw unknown(text);
  if (second !== undefined)
    throw new PeerAiError('NOT_FOUND', `several capsules begin with ${text}; give more of the id`);
  return card;
}

function* all(memory: Memory): Generator<CapsuleCard, void, undefined> {
  let after: string | undefined;
  do {
    const page = memory.list({ limit: limits.memoryPageMax, ...(after === undefined ? {} : { after }) });
    yield* page.capsules;
    after = page.next;
  } while (after !== undefined);
}

const unknown = (text: string): PeerAiError =>
  new PeerAiError('NOT_FOUND', `there is no capsule "${text.slice(0, 64)}" in this memory`, {
    hint: '`peerai memory ls` lists them.',
  });
