import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { CapsuleCard, CapsuleId } from './capsule.ts';
import { type CapsuleDraft, prepare } from './draft.ts';
import type { Embedder } from './embedder.ts';
import { novelty } from './formulas.ts';
import { cardOf, type Held } from './holdings.ts';
import { commit, type Inner, kept, type Step } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { Room } from './room.ts';
import { capsuleKey } from './rows.ts';
import { nearestDistance } from './search.ts';
import { type OpenedCapsule, openSignedCapsule, signCapsule } from './signed-capsule.ts';
import { unpackData } from './capsule-wire.ts';

/** What became of one foreign capsule. */
export type TakeResult =
  | { readonly outcome: 'taken' | 'known'; readonly id: CapsuleId }
  /** Nothing was kept; the code says why, as an error of `take` would. */
  | { readonly outcome: 'refused'; readonly code: string; readonly reason: string };

export async function addCapsule(
  inner: Inner,
  draft: CapsuleDraft,
  signal: AbortSignal,
  embedder: Embedder | undefined = inner.embedders[0],
): Promise<CapsuleCard> {
  const { crypto, identity, clock, holdings } = inner;
  if (embedder === undefined) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'A memory needs an embedder.');
  const prepared = await prepare(draft, embedder, signal);
  return await inner.inTurn(async () => {
    const { dimensions, name, kind } = embedder;
    const distance = nearestDistance(holdings.group({ name, dimensions, kind }), prepared.vector);
    const nowMs = clock.nowMs();
    const opened = signCapsule(crypto, identity, { ...prepared, createdMs: nowMs, novelty: novelty(distance) });
    const { id } = opened.facts;
    const held = holdings.get(id);
    if (held !== undefined) return cardOf(held);
    await commit(inner, [keepStep(inner, opened, nowMs, new Room(inner))]);
    return cardOf(holdings.get(id) as Held);
  });
}

/** @param from - `own`: another device of this owner, which may bring personal ones too. */
export async function takeCapsules(
  inner: Inner,
  signed: readonly Uint8Array[],
  from: 'own' | 'other' = 'other',
): Promise<readonly TakeResult[]> {
  if (signed.length > limits.takeCapsulesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `${signed.length} capsules at once; at most ${limits.takeCapsulesMax}`);
  return await inner.inTurn(async () => {
    const room = new Room(inner);
    const steps: Step[] = [];
    const seen = new Set<CapsuleId>();
    const results = signed.map((bytes): TakeResult => {
      try {
        const opened = openForeign(inner, bytes, from);
        const { id } = opened.facts;
        const isAside = from === 'own' && inner.parts.some(({ away }) => away.some((one) => one.id === id));
        if (seen.has(id) || inner.holdings.get(id) !== undefined || inner.holdings.isReplaced(id) || isAside)
          return { outcome: 'known', id };
        steps.push(keepStep(inner, opened, inner.clock.nowMs(), room));
        seen.add(id);
        return { outcome: 'taken', id };
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
        return { outcome: 'refused', code: error.code, reason: error.message };
      }
    });
    await commit(inner, steps);
    return results;
  });
}

/** Checked whole: signature, form, that it unpacks, its level, its time, and that it was not forgotten here. */
function openForeign({ crypto, clock, forgotten }: Inner, bytes: Uint8Array, from: 'own' | 'other'): OpenedCapsule {
  const opened = openSignedCapsule(crypto, bytes);
  const { id, level, createdMs } = opened.facts;
  if (level === 'personal' && from !== 'own')
    throw new PeerAiError<NnErrorCode>('CAPSULE_PERSONAL', 'A personal capsule is taken from no other owner.', { id });
  if (forgotten.has(id))
    throw new PeerAiError<NnErrorCode>('CAPSULE_FORGOTTEN', 'This capsule was forgotten here.', { id });
  if (createdMs > clock.nowMs() + limits.createdAheadMsMax)
    throw new PeerAiError('CLOCK_SKEW', 'a capsule from the future', { id, createdMs });
  unpackData(opened.body.packed);
  return opened;
}

/** Throws MEMORY_FULL. */
export function keepStep(inner: Inner, opened: OpenedCapsule, keptSinceMs: number, room: Room): Step {
  const { store, seal, holdings, damaged } = inner;
  const { id } = opened.facts;
  const row = seal.seal(opened, keptSinceMs);
  const state = kept(inner, opened, row, keptSinceMs);
  room.take(state.mine, row.length);
  return {
    changes: [store.put(capsuleKey(id), row)],
    apply: () => {
      damaged.delete(id);
      holdings.put(opened, state);
    },
  };
}
