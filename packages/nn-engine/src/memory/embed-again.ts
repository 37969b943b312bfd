import { orAborted, PeerAiError } from '@peerai/core-protocol';

import { throwIfAborted } from '../abort.ts';
import type { NnErrorCode } from '../errors.ts';
import type { CapsuleId } from './capsule.ts';
import { capsuleText, embeddedText } from './draft.ts';
import { type Embedder, unit } from './embedder.ts';
import { groupKey, isIn, type VectorSpace } from './holdings.ts';
import { commit, type Inner } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { capsuleKey, vectorKey } from './rows.ts';
import { capsuleOf } from './signed-capsule.ts';
import { allFinite } from './vectors.ts';

interface Text {
  readonly id: CapsuleId;
  readonly text: string;
}

/** Capsules without a vector of this embedder; those that it could not take do not count. */
export function lackingOf({ holdings, refusedBy }: Inner, space: VectorSpace): number {
  const refused = [...(refusedBy.get(groupKey(space)) ?? [])].filter((id) => {
    const held = holdings.get(id);
    return held !== undefined && !isIn(held, space);
  });
  return holdings.all.capsules - (holdings.group(space)?.held.length ?? 0) - refused.length;
}

/** How many more vectors of this embedder fit. */
export function roomFor({ quota, holdings }: Inner, { dimensions }: Pick<VectorSpace, 'dimensions'>): number {
  const bytes = quota.localVectorBytesMax - holdings.madeBytes;
  return Math.max(0, Math.floor(bytes / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
}

/**
 * Gives capsules whose own vector another embedder made one of this embedder beside it, newest first, so many at a time; others have a turn in between.
 * What is done when it is aborted, or the embedder fails, stays done. Ends when none is left, or there is no room for more.
 *
 * @param told - how many are left, after each step.
 *
 * Throws ABORTED, STORE_FULL, INVALID_OPTION for an embedder that gives something else than it says, and what it throws.
 */
export async function embedAgain(
  inner: Inner,
  embedder: Embedder,
  signal: AbortSignal,
  told: (left: number) => void,
): Promise<void> {
  const { holdings, clock, refusedBy } = inner;
  const { name, dimensions, kind } = embedder;
  const space = { name, dimensions, kind };
  const refused = refusedBy.get(groupKey(space)) ?? new Set();
  refusedBy.set(groupKey(space), refused);
  const ids = holdings
    .ordered()
    .filter((held) => !isIn(held, space) && !refused.has(held.facts.id))
    .map(({ facts }) => facts.id);
  while (ids.length > 0) {
    const some = ids.splice(0, Math.min(limits.embedAgainTexts, roomFor(inner, space)));
    if (some.length === 0) return;
    const texts = (await Promise.all(some.map((id) => textOf(inner, id)))).flat();
    const vectors = await vectorsOf(embedder, texts, signal);
    const made = texts.flatMap(({ id }, place) => {
      const vector = vectors[place];
      return vector === undefined ? [] : [{ id, made: { embedder: name, kind, vector } }];
    });
    await inner.inTurn(async () => {
      throwIfAborted(signal);
      const steps = made
        .filter(({ id }) => holdings.get(id) !== undefined)
        .map(({ id, made: one }) => ({
          changes: [inner.store.put(vectorKey(kind, id), inner.seal.sealVector(id, one))],
          apply: () => holdings.putMade(id, one),
        }));
      if (steps.length > 0) await commit(inner, steps);
    });
    const done = new Set(made.map(({ id }) => id));
    for (const id of some) if (!done.has(id)) refused.add(id);
    told(lackingOf(inner, space));
    await clock.sleep(0, signal);
  }
}

/** Nothing for one that is gone, or does not open. */
async function textOf({ store, seal }: Inner, id: CapsuleId): Promise<readonly Text[]> {
  const row = await store.get(capsuleKey(id));
  if (row === undefined) return [];
  try {
    const capsule = capsuleOf(seal.open(id, row));
    const text = embeddedText(capsule.summary, capsuleText(capsule) ?? '').slice(0, limits.embeddedCharsMax);
    return [{ id, text }];
  } catch (error) {
    if (PeerAiError.is(error)) return [];
    throw error;
  }
}

/** By place; undefined for a text that is too long for the model however little of it is given. */
async function vectorsOf(
  embedder: Embedder,
  texts: readonly Text[],
  signal: AbortSignal,
): Promise<readonly (Float32Array | undefined)[]> {
  if (texts.length === 0) return [];
  try {
    const asked = texts.map(({ text }) => text);
    const rows = await orAborted(embedder.embed(asked, signal), signal);
    const { dimensions, name } = embedder;
    if (rows.length !== texts.length || rows.some((row) => row.length !== dimensions || !allFinite(row)))
      throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `The embedder ${name} did not give ${dimensions} numbers.`);
    return rows.map((row) => unit(row));
  } catch (error) {
    if (signal.aborted || !PeerAiError.is(error, 'PROMPT_TOO_LONG')) throw error;
    if (texts.length === 1) return [undefined];
    const alone: (Float32Array | undefined)[] = [];
    for (const text of texts) alone.push(...(await vectorsOf(embedder, [text], signal)));
    return alone;
  }
}
