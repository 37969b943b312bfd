import { type AnswerPart, type LanguageModel, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import type { NnErrorCode } from '@peerai/nn-engine';
import { guideOver, textModel } from '@peerai/nn-engine/text';
import type { z } from 'zod';
import { modelLimits } from '../limits.ts';
import { records } from '../../store/records.ts';
import type { SplitsDeps } from '../splits.ts';
import type { GivenWeights } from './given-weights.ts';
import { awayOf, handedOut } from './handed-out.ts';
import { openSplit, type OpenSplit, stagesOf, weightsOf } from './open-split.ts';
import type { SplitRow } from './split-row.ts';
import { type splitRequestSchema, type SplitView } from './split.schema.ts';

export interface SplitRoom {
  list(): readonly SplitView[];
  models(): readonly LanguageModel[];
  create(wish: z.output<typeof splitRequestSchema>, signal: AbortSignal): Promise<SplitView>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** A split model while this peer runs. */
interface Live {
  readonly row: SplitRow;
  /** Every stage was loaded once: until then nobody sees it. */
  isMade: boolean;
  readonly holders: (PeerId | undefined)[];
  readonly lost: ({ readonly peer: PeerId; readonly code: string } | undefined)[];
  readonly ended: AbortController;
  opening: Promise<OpenSplit> | undefined;
  isOpen: boolean;
  /** Given to their holders while it is there. */
  weights: Disposable | undefined;
  running: number;
  answers: number;
  resting: AbortController;
}

const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}._:-]*$/u;

export async function openSplitRoom(deps: SplitsDeps, given: Pick<GivenWeights, 'give'>): Promise<SplitRoom> {
  const { network, clock, crypto, random, nameOf } = deps;
  const store = deps.store.room(splitRoomName);
  const kept = records<SplitRow>(store, 'split');
  const all = new Map<string, Live>();
  for await (const [name, row] of kept.all()) all.set(name, liveOf(row, true));
  const open = (live: Live, signal: AbortSignal): Promise<OpenSplit> => {
    const load = async (): Promise<OpenSplit> => {
      const { row } = live;
      const source = await (await deps.own()).source(row.source, signal);
      const cut = stagesOf(crypto, source, row.stages.length);
      if (cut.some(({ sha256 }, index) => toHex(sha256) !== row.stages[index]?.sha256))
        throw new PeerAiError('HASH_MISMATCH', `${row.model} has other weights than when it was split; split it again`);
      live.weights?.[Symbol.dispose]();
      const handed = (moved: number, bytes: number): void => deps.handed(row.name, moved, bytes);
      live.weights = given.give(handedOut(weightsOf(row.stages, cut), awayOf(row.stages, cut, network.self), handed));
      const split = await openSplit(
        {
          ...deps,
          opened: (index, peer) => {
            live.holders[index] = peer;
            deps.changed();
          },
          lost: (index, peer, code) => {
            live.holders[index] = undefined;
            live.lost[index] = { peer, code };
            deps.changed();
          },
        },
        { row, source, cut },
        AbortSignal.any([signal, live.ended.signal]),
      );
      live.isOpen = true;
      return split;
    };
    live.opening ??= load().catch((error: unknown) => {
      live.opening = undefined;
      throw told(live, error);
    });
    return live.opening;
  };
  const shut = async (live: Live): Promise<void> => {
    live.resting.abort();
    const { opening } = live;
    live.opening = undefined;
    live.isOpen = false;
    live.weights?.[Symbol.dispose]();
    live.weights = undefined;
    live.holders.fill(undefined);
    await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
  };
  /** What nobody asks anything is not kept in the memory of others. */
  const restLater = async (live: Live, signal: AbortSignal): Promise<void> => {
    try {
      await clock.sleep(modelLimits.splitRestMs, signal);
    } catch {
      // Somebody asked again.
      return;
    }
    if (live.running > 0) return;
    await shut(live);
    deps.changed();
  };
  const rest = (live: Live): void => {
    live.resting.abort();
    live.resting = new AbortController();
    void restLater(live, live.resting.signal);
  };
  const told = ({ row }: Live, error: unknown): unknown => {
    if (!PeerAiError.is(error, 'STAGE_LOST')) return error;
    const { index = 0, reasons = {} } = error.details as { index?: number; reasons?: Record<string, string> };
    const who = Object.entries(reasons).map(([peer, code]) => `${nameOf(peer as PeerId)} (${code})`);
    const text = `stage ${index + 1} of ${row.stages.length} of ${row.name} is with nobody any more: ${who.join(', ')}`;
    const hint = '`peerai models split ls` shows who holds what; with a spare device another takes a lost one’s place.';
    return new PeerAiError<NnErrorCode>('STAGE_LOST', text, { index, reasons, hint });
  };
  async function* answer(live: Live, ...asked: Parameters<LanguageModel['generate']>): AsyncGenerator<AnswerPart> {
    const signal = AbortSignal.any([asked[2], live.ended.signal]);
    if (live.running >= modelLimits.splitAnswersMax)
      throw new PeerAiError('LIMIT_REACHED', `${live.row.name} gives ${modelLimits.splitAnswersMax} answers already`);
    live.running += 1;
    live.resting.abort();
    try {
      const { source, decoder } = await open(live, signal);
      const { guide, codec, sizes } = source;
      const model =
        guide === undefined
          ? textModel({
              card: cardOf(live),
              clock,
              seed: () => seedOf(random),
              open: async () => ({ decoder, codec, context: sizes.context }),
            })
          : guideOver(guide, async () => decoder, clock);
      yield* model.generate(asked[0], asked[1], signal);
      live.answers += 1;
    } catch (error) {
      throw told(live, error);
    } finally {
      live.running -= 1;
      rest(live);
    }
  }
  const member = (peer: PeerId) => ({ peerId: peer, name: nameOf(peer), self: peer === network.self });
  const view = ({ row, holders, lost, isOpen, answers }: Live): SplitView => ({
    name: row.name,
    model: row.model,
    activations: row.activations,
    createdMs: row.createdMs,
    state: isOpen ? 'open' : 'resting',
    answers,
    stages: row.stages.map(({ places, ...stage }, index) => {
      const [holder, left] = [holders[index], lost[index]];
      return {
        index,
        ...stage,
        holder: holder === undefined ? null : member(holder),
        places: places.map(member),
        lost: left === undefined ? null : { ...member(left.peer), code: left.code },
      };
    }),
  });
  const cardOf = ({ row, isOpen }: Live): LanguageModel['card'] => ({
    name: row.name,
    engine: 'split',
    contextTokensMax: row.context,
    memoryBytes: 4 * row.stages.reduce((sum, { parameters }) => sum + parameters, 0),
    loaded: isOpen,
    deterministic: false,
    fits: true,
    description: `${row.model} in ${row.stages.length} stages: ${row.stages.map(({ places: [first] }) => (first === undefined ? '' : nameOf(first))).join(', ')}. Who holds a stage can read what is asked of it.`,
  });
  const modelOf = (live: Live): LanguageModel => ({
    specification: 1,
    get card() {
      return cardOf(live);
    },
    generate: (...asked) => answer(live, ...asked),
    async warm(signal) {
      await open(live, signal);
      rest(live);
    },
  });
  const made = (): readonly Live[] => [...all.values()].filter(({ isMade }) => isMade);
  const peersOf = (names: readonly string[]): readonly PeerId[] => {
    const peers = names.map((text) => (text === 'self' ? network.self : deps.devices.find(text).peer));
    if (new Set(peers).size < peers.length) throw new PeerAiError('INVALID_OPTION', 'a device is named twice');
    return peers;
  };
  return {
    list: () => made().map(view),
    models: () => made().map(modelOf),
    async create({ model, over, spares, activations, name }, signal) {
      const source = await (await deps.own()).source(model, signal);
      const called = name ?? `${source.name}:split`;
      if (!namePattern.test(called)) throw new PeerAiError('INVALID_FORMAT', 'letters, digits and . _ : - make a name');
      if (all.has(called) || deps.isTaken(called))
        throw new PeerAiError('MODEL_EXISTS', `there is a model "${called}" already`, {
          hint: 'Give another --name, or end that one first: `peerai models split stop <name>`.',
        });
      if (all.size >= modelLimits.splitsMax)
        throw new PeerAiError('LIMIT_REACHED', `at most ${modelLimits.splitsMax} split models`);
      const [first, more] = [peersOf(over), peersOf(spares)];
      const stages = stagesOf(crypto, source, first.length).map(({ stage, sha256 }, index) => ({
        from: stage.from,
        to: stage.to,
        parameters: stage.layout.size,
        sha256: toHex(sha256),
        places: [...new Set([first[index] ?? network.self, ...more])],
      }));
      const createdMs = clock.nowMs();
      const context = source.sizes.context;
      const row = { name: called, model: source.name, source: source.key, activations, createdMs, context, stages };
      const live = liveOf(row, false);
      all.set(called, live);
      try {
        await open(live, signal);
        await store.commit([kept.put(called, row)]);
        live.isMade = true;
      } catch (error) {
        all.delete(called);
        await shut(live);
        throw error;
      }
      rest(live);
      deps.changed();
      return view(live);
    },
    async remove(name) {
      const live = all.get(name);
      if (live === undefined)
        throw new PeerAiError('MODEL_UNKNOWN', `there is no split model "${name.slice(0, 100)}"`, {
          hint: '`peerai models split ls` lists them.',
        });
      await store.commit([kept.remove(name)]);
      all.delete(name);
      live.ended.abort(new PeerAiError('ABORTED', `${name} was ended`));
      await shut(live);
      deps.changed();
    },
    async close() {
      for (const live of all.values()) {
        live.ended.abort(new PeerAiError('ABORTED', 'this peer is stopping'));
        await shut(live);
      }
    },
  };
}

export const splitRoomName = 'splits';

const seedOf = (random: SplitsDeps['random']): number =>
  new DataView(random.bytes(4).buffer).getUint32(0) % 0x7fff_ffff;

const liveOf = (row: SplitRow, isMade: boolean): Live => ({
  row,
  isMade,
  holders: row.stages.map(() => undefined),
  lost: row.stages.map(() => undefined),
  ended: new AbortController(),
  opening: undefined,
  isOpen: false,
  weights: undefined,
  running: 0,
  answers: 0,
  resting: new AbortController(),
});
