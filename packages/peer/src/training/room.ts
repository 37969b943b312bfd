import { fromHex, fromUtf8, PeerAiError, type PeerId, type Shelf, toHex, utf8 } from '@peerai/core-protocol';
import type { Run } from '@peerai/nn-engine/rounds';
import type { z } from 'zod';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import { onDemand } from '../store/on-demand.ts';
import type { BaseName } from './adapter-plan.ts';
import type { Bases } from './bases.ts';
import { gathered } from '../store/gathered.ts';
import { findData, readIn, readText, textOf } from './data-sets.ts';
import { askForOffers, type FoundOffer } from './offers.ts';
import { decodePlan, encodePlan, specOf, taskOf } from './plan.ts';
import { agreePrivacy } from './privacy.ts';
import { isEnded, openRunBook, places, readWhole, type RunBook, type RunHead } from './run-book.ts';
import { type LinkAnswer } from './link-protocol.ts';
import { openTrainingLinks } from './links.ts';
import { createRunner } from './runner.ts';
import { checkStagesWish, stageRows } from './stage-terms.ts';
import { createTeller } from './teller.ts';
import type { TrainedRun, Training, TrainingDeps } from './training.ts';
import type { Offer } from './training-protocol.ts';
import type { TrainingLinkView, TrainingPlan, trainingRequestSchema, TrainingRunView } from './training.schema.ts';
import { roundView, runView } from './views.ts';

type Wish = z.output<typeof trainingRequestSchema>;

export interface RoomDeps extends TrainingDeps {
  readonly mayTrain: (peer: PeerId) => boolean;
}
/** What training does once it is used: a peer that never trains loads none of it. */
export interface TrainingRoom extends Omit<
  Training,
  'list' | 'links' | 'mayTrain' | 'isVisitor' | 'start' | 'trained'
> {
  list(): readonly TrainingRunView[];
  trained(): readonly TrainedRun[];
  links(text: string): readonly TrainingLinkView[];
  /** What this peer offers to that one now. */
  ownOffers(peer: PeerId): readonly Offer[];
  /** Goes on with what was under way. */
  resume(): void;
  /** Lets a visitor in. Throws the ticket's refusal, RUN_OVER, NOT_LEADING. */
  greet(peer: PeerId, grant: Uint8Array): Promise<LinkAnswer>;
  admits(peer: PeerId): boolean;
}

export async function openTrainingRoom(deps: RoomDeps): Promise<TrainingRoom> {
  const { clock, crypto, identity, nameOf, mayTrain } = deps;
  const self = identity.peer;
  const book = await openRunBook(deps);
  const view = (head: RunHead): TrainingRunView => runView(head, nameOf, deps.shelf);
  const teller = createTeller(deps, view);
  const shelf = (): Shelf => {
    if (deps.shelf !== undefined) return deps.shelf;
    throw new PeerAiError('UNSUPPORTED', 'this peer keeps no files, so it cannot train');
  };
  const links = await openTrainingLinks({
    ...deps,
    shelf,
    runOf: (id) => book.run(id),
    cutOff: (peer) => runner.cutOff(peer),
  });
  /** One table at a time: each loads a model and takes a thread. */
  const predicting = createMutex();
  const closing = new AbortController();
  const weightsOf = async (head: RunHead): Promise<Float32Array> => {
    const bytes = await readWhole(shelf(), places.state(head.id), 8 + head.parameters * 8);
    if (toHex(crypto.sha256(bytes)) !== head.hash)
      throw new PeerAiError('HASH_MISMATCH', 'the weights of this run were changed on disk', { run: head.id });
    return (await import('./lazy.ts')).decodeState(bytes, head.parameters).weights;
  };
  const bases = onDemand(async (): Promise<Bases> => {
    const { createBases } = await import('./lazy.ts');
    return createBases({ ...deps, book, shelf, weightsOf, signal: closing.signal });
  });
  const runner = createRunner({
    ...deps,
    book,
    shelf,
    shards: links.shards,
    baseOf: async (base) => (await bases.get()).open(base),
    async startOf({ run, state }) {
      const head = book.run(run);
      return head?.file === undefined || head.hash !== state ? undefined : weightsOf(head);
    },
    mayJoin: (peer, run) => mayTrain(peer) || links.admits(peer, run === undefined ? undefined : toHex(run)),
    changed(head, isWhole) {
      teller.changed(head, isWhole);
      if (isEnded(head)) deps.ended();
      if (isEnded(head)) void links.ended(head.id).catch(() => deps.logger.error('training-links-unsaved'));
    },
    closed: (id, row) => teller.closed(id, roundView(row, nameOf)),
  });
  const modelOf: Training['model'] = async (text) => {
    const { id, name, file } = find(book, text);
    if (file === undefined) throw new PeerAiError('NOT_FOUND', 'this run has no model yet');
    const bytes = await readWhole(shelf(), places.model(id), file.bytes);
    if (toHex(crypto.sha256(bytes)) !== file.sha256)
      throw new PeerAiError('HASH_MISMATCH', 'the model of this run was changed on disk', { run: id });
    return { name: `${name}.onnx`, bytes };
  };
  const isUsed = (id: string): boolean => book.runs().some((head) => head.dataId === id && !isEnded(head));
  /** The same terms again: what came of them before gives way. */
  const anew = async (run: Run): Promise<void> => {
    const former = book.run(toHex(run.hash));
    if (former !== undefined) await book.remove(former.id);
  };
  const baseNamed = async (name: string): Promise<BaseName> => {
    const head = book.runs().some((run) => isNamed(run, name)) ? find(book, name) : undefined;
    if (head !== undefined) ended(head);
    return (await bases.get()).choose(head, name);
  };
  return {
    list: () => book.runs().map(view).toReversed(),
    async get(text) {
      const { id } = find(book, text);
      const rows = await book.rounds(id);
      return { v: 1, ...view(find(book, id)), rounds: rows.map((row) => roundView(row, nameOf)) };
    },
    readIn: async (name, bytes) =>
      readIn({ ...deps, book, shelf: shelf(), isUsed, nowMs: () => clock.nowMs() }, name, bytes),
    async begin(wish) {
      const head = await runner.begin(async () => {
        const data = findData(book, wish.data);
        if (wish.stages !== undefined) checkStagesWish(wish);
        const plan = await planOf(wish, () => readText(shelf(), data), {
          base: baseNamed,
          run: (name) => ended(find(book, name)),
        });
        const { sizeOfPlan, checkRun, thresholdOf } = await import('./lazy.ts');
        const bytes = encodePlan(plan);
        const stages = wish.stages && (await stageRows(plan, placesOf(wish.stages, deps)));
        const members = wish.private && invitedOf(deps, wish.private.invite);
        const privacy = await agreePrivacy(deps.store, data, wish.privacy, wish.rounds);
        const agreed = {
          task: taskOf(crypto, bytes),
          size: sizeOfPlan(plan),
          invited: members && { members, threshold: thresholdOf(members.length) },
          noise: privacy && privacy.clip * privacy.noise,
        };
        const run = checkRun(crypto, specOf(stages === undefined ? wish : { ...wish, membersMin: 1 }, agreed));
        await anew(run);
        const { data: dataId, threads } = wish;
        return { run, plan, planText: fromUtf8(bytes), by: self, dataId, threads, privacy, stages };
      });
      return view(head);
    },
    async offers(signal) {
      const { found, unanswered } = await askForOffers(deps, signal);
      return { v: 1, offers: found.map(({ view: offer }) => offer), unanswered };
    },
    async join(text, { data, threads, privacy: wished }, signal) {
      const head = await runner.begin(async () => {
        const { found } = await askForOffers(deps, signal);
        const { run, plan, planText, from, view: offer } = offerOf(found, text);
        if (run.private?.members.includes(self) === false)
          throw new PeerAiError('REFUSED', 'this run is private, and this peer is not invited');
        const left = run.rounds - offer.round;
        const privacy = await agreePrivacy(deps.store, findData(book, data), wished, left);
        await anew(run);
        return { run, plan, planText, by: from, dataId: data, threads, privacy };
      });
      return view(head);
    },
    async stop(text) {
      const head = find(book, text);
      const stopped = runner.current()?.id === head.id ? await runner.stop() : undefined;
      if (stopped === undefined) throw new PeerAiError<PeerErrorCode>('RUN_OVER', `this run is ${head.state} already`);
      return view(stopped);
    },
    async remove(text) {
      const head = find(book, text);
      if (!isEnded(head))
        throw new PeerAiError<PeerErrorCode>('RUN_ACTIVE', 'this run is not over; stop it first', { run: head.id });
      await links.ended(head.id);
      await book.remove(head.id);
      if (decodePlan(utf8(head.plan)).model === 'adapter' && !runner.isPreparing()) await (await bases.get()).sweep();
    },
    async link(text, wish) {
      const head = find(book, text);
      const data = wish.data === undefined ? undefined : findData(book, wish.data);
      const handed = data === undefined ? undefined : { name: data.name, text: await readText(shelf(), data) };
      if (head.invited !== undefined)
        throw new PeerAiError('REFUSED', 'this run is private: only those who were invited at its start take part');
      if (head.stages !== undefined)
        throw new PeerAiError('UNSUPPORTED', 'this run is in stages: it has one member, and no place for a browser');
      if (decodePlan(utf8(head.plan)).model === 'adapter')
        throw new PeerAiError('UNSUPPORTED', 'a browser does not hold what an adapter is of, so it cannot take part');
      const made = await links.create(head, wish, handed);
      // The parts are kept with the link.
      if (data !== undefined && !isUsed(data.id)) await book.removeData(data.id);
      return made;
    },
    links: (text) => links.list(find(book, text).id),
    stopLink: (id) => links.stop(id),
    greet: (peer, grant) => links.greet(peer, grant),
    admits: (peer) => links.admits(peer),
    model: async (text) => modelOf(text),
    async predict(text, content, signal) {
      const { id, name, plan } = find(book, text);
      const { bytes: model } = await modelOf(id);
      if (deps.runtime === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer has nothing that computes');
      const { predict } = await import('./lazy.ts');
      const asked = {
        plan: decodePlan(utf8(plan)),
        text: textOf(await gathered(content, limits.trainingDataBytesMax)),
        model,
        signal,
      };
      const runtime = await deps.runtime();
      return { v: 1, run: { id, name }, ...(await predicting(() => predict(runtime, asked))) };
    },
    trained: () =>
      book
        .runs()
        .filter(({ file }) => file !== undefined)
        .map(({ id, name, plan, parameters, round }) => ({
          id,
          name,
          plan: decodePlan(utf8(plan)),
          parameters,
          rounds: round,
        }))
        .toReversed(),
    languageOf: async (id) => (await bases.get()).modelOf(find(book, id)),
    review(peer) {
      if (!mayTrain(peer)) runner.cutOff(peer);
    },
    ownOffers(peer) {
      const head = runner.current();
      return head?.invited?.includes(peer) === false ? [] : ownOffers(head, self);
    },
    resume() {
      for (const head of book.runs().filter((one) => !isEnded(one))) void runner.resume(head);
    },
    async close() {
      links.close();
      closing.abort(new PeerAiError('ABORTED', 'this peer is stopping'));
      await runner.close();
    },
  };
}

const isNamed = ({ id, name }: { readonly id: string; readonly name: string }, text: string): boolean =>
  id === text || name === text || (text.length >= 8 && id.startsWith(text));

function find(book: RunBook, text: string): RunHead {
  const all = book.runs().toReversed();
  const found = all.find((head) => isNamed(head, text));
  if (found !== undefined) return found;
  throw new PeerAiError<PeerErrorCode>('RUN_UNKNOWN', `there is no run "${text.slice(0, 64)}" here`);
}

/** What a wish names that is here already. */
interface Named {
  readonly base: (name: string) => Promise<BaseName>;
  /** Throws RUN_UNKNOWN, NOT_FOUND. */
  readonly run: (name: string) => RunHead;
}

/** Throws NOT_FOUND. */
function ended(head: RunHead): RunHead {
  if (head.file !== undefined) return head;
  throw new PeerAiError('NOT_FOUND', `${head.name} has no model yet, so nothing can be trained on it`);
}

async function planOf(wish: Wish, text: () => Promise<string>, named: Named): Promise<TrainingPlan> {
  const plan = await steadyPlan(wish, text, named);
  const cut = wish.stages === undefined ? {} : { stages: wish.stages.over.length };
  return { ...plan, ...(wish.schedule === 'cosine' ? { schedule: wish.schedule } : {}), ...cut };
}

async function steadyPlan(
  { model, learningRate, seed }: Wish,
  text: () => Promise<string>,
  named: Named,
): Promise<TrainingPlan> {
  if (model.kind === 'run') {
    const { id, name, hash, plan } = named.run(model.run);
    const { schedule: _schedule, stages: _stages, ...former } = decodePlan(utf8(plan));
    return { ...former, learningRate, seed, start: { name, run: id, state: hash } };
  }
  if (model.kind === 'adapter') {
    const { rank, alpha = rank } = model;
    return { v: 1, model: 'adapter', base: await named.base(model.base), rank, alpha, learningRate, seed };
  }
  if (model.kind === 'language') return { v: 1, model: 'language', size: model.size, learningRate, seed };
  const { planOfImages, planOfTable } = await import('./lazy.ts');
  if (model.kind === 'conv') return planOfImages(await text(), { ...model, learningRate, seed });
  return planOfTable(await text(), { ...model, learningRate, seed });
}

/** With two, each would know the other's part of their sum. */
const privateMembersMin = 3;

/** Who may take part in a private run, this peer among them, in the order of their ids. Throws PEER_UNKNOWN, NOT_GRANTED, INVALID_OPTION. */
function invitedOf(
  { devices, identity, mayTrain, nameOf }: RoomDeps,
  named: readonly string[] | undefined,
): readonly PeerId[] {
  const others = named?.map((text) => devices.find(text)) ?? devices.list().filter(({ peer }) => mayTrain(peer));
  const barred = others.find(({ peer }) => !mayTrain(peer));
  if (barred !== undefined)
    throw new PeerAiError(
      'NOT_GRANTED',
      `${nameOf(barred.peer)} may not train with this device; its owner can allow it`,
    );
  const invited = [...new Set([identity.peer, ...others.map(({ peer }) => peer)])].toSorted();
  if (invited.length < privateMembersMin) {
    const hint = 'Pair more and give them the right: peerai peers allow <peer> chat,train. An open run needs two.';
    throw new PeerAiError(
      'INVALID_OPTION',
      `a private run needs ${privateMembersMin} devices, this one among them; ${invited.length} may train here`,
      { hint },
    );
  }
  return invited;
}

/** Who holds the stages of a run, and who may take a place over. Throws DEVICE_UNKNOWN, INVALID_OPTION. */
function placesOf({ over, spares }: NonNullable<Wish['stages']>, { devices, identity }: RoomDeps) {
  const peersOf = (names: readonly string[]): readonly PeerId[] => {
    const peers = names.map((text) => (text === 'self' ? identity.peer : devices.find(text).peer));
    if (new Set(peers).size < peers.length) throw new PeerAiError('INVALID_OPTION', 'a device is named twice');
    return peers;
  };
  return { over: peersOf(over), spares: peersOf(spares) };
}

/** The run under way, for whoever may join: offered by who started it, and by who leads it now. */
function ownOffers(head: RunHead | undefined, self: PeerId): readonly Offer[] {
  if (head === undefined || head.stages !== undefined || (head.role !== 'started' && head.coordinator !== self))
    return [];
  const { termsHex, plan, round, members } = head;
  return [{ terms: fromHex(termsHex), plan: utf8(plan), round, members: Math.max(1, members.length) }];
}

function offerOf(found: readonly FoundOffer[], text: string): FoundOffer {
  const offer = found.find(({ view }) => isNamed(view, text));
  if (offer !== undefined) return offer;
  throw new PeerAiError<PeerErrorCode>('OFFER_UNKNOWN', `no device offers a run "${text.slice(0, 64)}" now`, {
    offers: found.map(({ view: { name } }) => name).slice(0, limits.namesToldMax),
  });
}
