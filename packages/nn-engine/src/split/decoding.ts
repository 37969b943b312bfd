import { PeerAiError, type Program, type Runtime, type Tensor, type Tensors } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createTurns } from '../turns.ts';
import type { Stage } from './plan.ts';
import { cachesOf, type LanguageStage, stepCarry, stepGraph } from './step-graph.ts';

/** One answer at one stage: its keys and values so far. */
export interface StageAnswer extends Disposable {
  /**
   * The state after more tokens [count, width], or of the last stage the scores after the last one [1, vocabulary].
   *
   * @param past - how many tokens came before; 0 begins anew.
   * @param rows - the tokens, int64 [count], for the first stage; else the state before, [count, width].
   *
   * Throws STAGE_CACHE_LOST when not just `past` tokens are kept, LIMIT_EXCEEDED beyond the stage's length, LIMIT_REACHED where there is no room for another answer.
   */
  extend(past: number, rows: Tensor, signal: AbortSignal): Promise<Tensor>;
}

/** Bytes that caches may take, for all stages that share it. */
export interface CacheRoom {
  /** Throws LIMIT_REACHED. The room is given back when what it returns is disposed. */
  take(bytes: number): Disposable;
}

export function createCacheRoom(bytesMax: number): CacheRoom {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > bytesMax)
        throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', 'There is no room for another answer’s cache.', {
          bytes,
          bytesMax,
        });
      taken += bytes;
      let isBack = false;
      return {
        [Symbol.dispose]() {
          if (!isBack) taken -= bytes;
          isBack = true;
        },
      };
    },
  };
}

/** Bytes of one answer's keys and values at a stage when its row is full; so much is set aside when it begins. */
export const cacheBytesOf = ({ model, from, to }: LanguageStage): number =>
  4 * 2 * (to - from) * model.batch.length * model.sizes.width;

export interface StageDecoding extends AsyncDisposable {
  begin(): StageAnswer;
}

/** An answer's cache: inside the program while it is this one's turn, else here. */
interface Kept {
  past: number;
  readonly room: Disposable;
  outside: Tensors | undefined;
}

/**
 * A stage that answers token by token. One program computes all answers, so that its weights are there once; whoever's turn it is has its cache inside, which
 * costs nothing while one answer runs alone. Throws INVALID_OPTION for a model without such caches, and what `load` throws.
 */
export async function openDecoding(
  { runtime, room }: { readonly runtime: Runtime; readonly room: CacheRoom },
  asked: {
    readonly stage: Stage;
    readonly weights: Float32Array;
    readonly threads: number;
    readonly signal: AbortSignal;
  },
): Promise<StageDecoding> {
  const stage = languageStage(asked.stage);
  const { heads, width } = stage.model.sizes;
  const { length } = stage.model.batch;
  const names = cachesOf(stage);
  const nothing: Tensor = { type: 'float32', shape: [heads, 0, width / heads], data: new Float32Array() };
  const options = { signal: asked.signal, carry: stepCarry(stage), threads: asked.threads };
  const program: Program = await runtime.load(stepGraph(stage, asked.weights), options);
  const inTurn = createTurns();
  const all = new Set<Kept>();
  let inside: Kept | undefined;

  const bring = async (kept: Kept | undefined, caches: Tensors): Promise<void> => {
    if (inside !== undefined && all.has(inside) && inside !== kept) {
      const read = await Promise.all(names.map(async (name) => [name, await program.read(name)] as const));
      inside.outside = Object.fromEntries(read);
    }
    inside = undefined;
    await Promise.all(names.map((name) => program.write(name, caches[name] ?? nothing)));
    inside = kept;
  };
  const open = (): Kept => {
    if (all.size >= limits.stageAnswersMax)
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${limits.stageAnswersMax} answers at one stage.`);
    const kept: Kept = { past: 0, room: room.take(cacheBytesOf(stage)), outside: undefined };
    all.add(kept);
    return kept;
  };
  const forget = (kept: Kept): void => {
    all.delete(kept);
    kept.room[Symbol.dispose]();
    if (inside !== kept) return;
    // Nobody needs it: whoever comes next need not wait for it to be empty.
    void inTurn(() => (inside === kept ? bring(undefined, {}) : Promise.resolve())).catch(() => undefined);
  };
  const step = async (kept: Kept, past: number, rows: Tensor, signal: AbortSignal): Promise<Tensor> => {
    const [count = 0] = rows.shape;
    if (past !== 0 && past !== kept.past)
      throw new PeerAiError<NnErrorCode>('STAGE_CACHE_LOST', 'Other tokens are kept of this answer.', {
        past,
        kept: kept.past,
      });
    if (count < 1 || past + count > length)
      throw new PeerAiError('LIMIT_EXCEEDED', `${past + count} tokens; 1 to ${length} may be.`, { length });
    if (past === 0) await bring(kept, {});
    else if (inside !== kept) await bring(kept, kept.outside ?? {});
    kept.outside = undefined;
    const places = BigInt64Array.from({ length: count }, (_, index) => BigInt(past + index));
    kept.past = past;
    const made = await program.run({ places: { type: 'int64', shape: [count], data: places }, rows }, signal);
    kept.past = past + count;
    const { next } = made;
    if (next === undefined) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'The graph gave no next.');
    return next;
  };
  return {
    begin() {
      let kept: Kept | undefined;
      let isOver = false;
      return {
        extend: (past, rows, signal) =>
          inTurn(async () => {
            if (isOver) throw new PeerAiError<NnErrorCode>('STAGE_CACHE_LOST', 'This answer is over.');
            if (kept === undefined && past !== 0)
              throw new PeerAiError<NnErrorCode>('STAGE_CACHE_LOST', 'Nothing is kept of this answer.');
            kept ??= open();
            return await step(kept, past, rows, signal);
          }),
        [Symbol.dispose]() {
          isOver = true;
          if (kept !== undefined) forget(kept);
          kept = undefined;
        },
      };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

function languageStage(stage: Stage): LanguageStage {
  const { model } = stage;
  if (model.type !== 'language-model')
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Only stages of language models answer token by token.');
  return { ...stage, model };
}
