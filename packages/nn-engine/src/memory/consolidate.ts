import { PeerAiError } from '@peerai/core-protocol';

import { throwIfAborted } from '../abort.ts';
import type { CapsuleId } from './capsule.ts';
import type { CapsuleBody } from './capsule-wire.ts';
import { type Part, partKey, partRow } from './consolidation-rows.ts';
import type { Held } from './holdings.ts';
import { commit, type Inner, kept, type Step } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { type ConsolidationRule, expired, type Merge, merges } from './plan.ts';
import { Room } from './room.ts';
import { awayKey, capsuleKey, readUses, usesKey, usesRow, vectorKeys } from './rows.ts';
import { signCapsule } from './signed-capsule.ts';

export interface Consolidation {
  /** Capsules that were too old and too seldom used. */
  readonly expired: number;
  /** Capsules that became part of another, and how many those are. */
  readonly replaced: number;
  readonly merged: number;
  /** Until when `undoConsolidation` brings everything back; absent when nothing changed. */
  readonly undoUntilMs?: number;
}

/** What is being done, and how much of it is. */
export type ConsolidationTold = (step: 'dropping' | 'comparing' | 'joining', done: number, all: number) => void;

/** Expires, then merges, each commit whole by itself; aborted in between, what it did is taken back. */
export async function consolidate(
  inner: Inner,
  rule: ConsolidationRule,
  signal: AbortSignal,
  told: ConsolidationTold,
): Promise<Consolidation> {
  const { clock, holdings, inTurn } = inner;
  const atMs = clock.nowMs();
  await inTurn(() => letGo(inner));
  const run = (inner.parts.at(-1)?.run ?? -1) + 1;
  let place = 0;
  const counts = { expired: 0, replaced: 0, merged: 0 };
  const step = async (make: (part: Pick<Part, 'run' | 'place' | 'atMs'>) => Promise<[Part, Step] | undefined>) => {
    throwIfAborted(signal);
    const made = await make({ run, place, atMs });
    if (made === undefined) return 0;
    const [part, change] = made;
    const record: Step = {
      changes: [inner.store.put(partKey(part), partRow(part))],
      apply: () => inner.parts.push(part),
    };
    await commit(inner, [change, record]);
    place += 1;
    return part.away.length;
  };
  try {
    const old = expired(holdings, rule, atMs);
    for (let start = 0; start < old.length; start += limits.expireStepCapsules) {
      const some = old.slice(start, start + limits.expireStepCapsules);
      counts.expired += await inTurn(() => step((part) => takeAway(inner, part, some, undefined)));
      told('dropping', start + some.length, old.length);
    }
    const found = await merges(holdings, rule, clock, signal, (done, all) => told('comparing', done, all));
    for (const [index, merge] of found.entries()) {
      const replaced = await inTurn(() => step((part) => becomeOne(inner, part, merge)));
      counts.replaced += replaced;
      counts.merged += replaced > 0 ? 1 : 0;
      told('joining', index + 1, found.length);
    }
    throwIfAborted(signal);
  } catch (error) {
    if (signal.aborted) await inTurn(() => takeBack(inner, run));
    throw error;
  }
  return place === 0 ? counts : { ...counts, undoUntilMs: atMs + limits.undoMs };
}

type PartStart = Pick<Part, 'run' | 'place' | 'atMs'>;

const isHeld = ({ holdings }: Inner, held: Held): boolean => holdings.get(held.facts.id) === held;

/** Their rows moved aside as they are. Undefined when none of them is here any more. */
async function takeAway(
  inner: Inner,
  start: PartStart,
  capsules: readonly Held[],
  into: CapsuleId | undefined,
): Promise<[Part, Step] | undefined> {
  const { store, holdings } = inner;
  const here = capsules.filter((held) => isHeld(inner, held));
  if (here.length === 0) return undefined;
  const changes = await Promise.all(
    here.map(async ({ facts: { id }, uses }) => [
      store.put(awayKey(id), await store.get(capsuleKey(id))),
      store.put(capsuleKey(id)),
      store.put(usesKey(id), usesRow(uses)),
      // When it comes back it is embedded again.
      ...vectorKeys(id).map((key) => store.put(key)),
    ]),
  );
  const away = here.map(({ facts: { id }, rowBytes }) => ({ id, rowBytes }));
  const apply = (): void => {
    for (const { id } of away) holdings.drop(id);
  };
  return [
    { ...start, away, into },
    { changes: changes.flat(), apply },
  ];
}

/** A new capsule of this device in the place of its near-equals. Undefined when one of them went meanwhile, or does not open. */
async function becomeOne(inner: Inner, start: PartStart, merge: Merge): Promise<[Part, Step] | undefined> {
  const { store, seal, crypto, identity, holdings } = inner;
  const all = [merge.newest, ...merge.others];
  const row = await store.get(capsuleKey(merge.newest.facts.id));
  if (row === undefined || !all.every((held) => isHeld(inner, held))) return undefined;
  const body = readBodyOf(inner, merge.newest.facts.id, row);
  if (body === undefined) return undefined;
  const opened = signCapsule(crypto, identity, {
    ...body,
    tags: merge.tags,
    relations: merge.relations,
    novelty: Math.max(...all.map(({ facts }) => facts.novelty)),
    importance: Math.max(...all.map(({ facts }) => facts.importance)),
  });
  const { id } = opened.facts;
  const keptSinceMs = Math.max(...all.map((held) => held.keptSinceMs));
  const uses = all.reduce((sum, held) => sum + held.uses, 0);
  const sealed = seal.seal(opened, keptSinceMs);
  const away = await takeAway(inner, start, all, id);
  if (away === undefined) return undefined;
  const [part, { changes, apply }] = away;
  return [
    part,
    {
      changes: [...changes, store.put(capsuleKey(id), sealed), store.put(usesKey(id), usesRow(uses))],
      apply: () => {
        apply();
        holdings.put(opened, kept(inner, opened, sealed, keptSinceMs, uses));
      },
    },
  ];
}

function readBodyOf({ seal }: Inner, id: CapsuleId, row: Uint8Array): CapsuleBody | undefined {
  try {
    return seal.open(id, row).body;
  } catch {
    return undefined;
  }
}

/** What can no longer be undone, or has no room any more, is gone for good: the oldest first. */
async function letGo(inner: Inner): Promise<void> {
  const { store, clock, parts, quota } = inner;
  const bytesMax = quota.bytesMax * limits.undoShareMax;
  const bytesOf = (part: Part): number => part.away.reduce((sum, { rowBytes }) => sum + rowBytes, 0);
  let bytes = parts.reduce((sum, part) => sum + bytesOf(part), 0);
  for (let part = parts[0]; part !== undefined; part = parts[0]) {
    if (clock.nowMs() - part.atMs <= limits.undoMs && bytes <= bytesMax) return;
    bytes -= bytesOf(part);
    const gone = part.away.flatMap(({ id }) => [
      store.put(awayKey(id)),
      ...(inner.holdings.get(id) === undefined ? [store.put(usesKey(id))] : []),
    ]);
    await commit(inner, [{ changes: [...gone, store.put(partKey(part))], apply: () => parts.shift() }]);
  }
}

/** Brings back what the last consolidation took away, and takes what it made. How many came back; throws NOT_FOUND, EXPIRED, MEMORY_FULL. */
export async function undoConsolidation(inner: Inner): Promise<number> {
  const { parts, clock } = inner;
  return await inner.inTurn(async () => {
    const last = parts.at(-1);
    if (last === undefined) throw new PeerAiError('NOT_FOUND', 'There is no consolidation to undo.');
    if (clock.nowMs() - last.atMs > limits.undoMs)
      throw new PeerAiError('EXPIRED', 'The last consolidation is too long ago to be undone.');
    return await takeBack(inner, last.run);
  });
}

async function takeBack(inner: Inner, run: number): Promise<number> {
  let count = 0;
  for (const part of inner.parts.filter((one) => one.run === run).toReversed()) count += await undo(inner, part);
  return count;
}

/** What was forgotten since does not come back. */
async function undo(inner: Inner, part: Part): Promise<number> {
  const { store, holdings, seal, parts } = inner;
  const { into } = part;
  const room = new Room(inner);
  const steps: Step[] = [];
  let count = 0;
  for (const { id } of part.away) {
    const row = holdings.get(id) === undefined ? await store.get(awayKey(id)) : undefined;
    if (row === undefined) {
      steps.push({ changes: [store.put(awayKey(id))], apply: () => undefined });
      continue;
    }
    const usesBefore = await store.get(usesKey(id));
    const opened = seal.open(id, row);
    const state = kept(inner, opened, row, opened.keptSinceMs, usesBefore === undefined ? 0 : readUses(usesBefore));
    room.take(state.mine, row.length);
    count += 1;
    steps.push({
      changes: [store.put(capsuleKey(id), row), store.put(awayKey(id))],
      apply: () => holdings.put(opened, state),
    });
  }
  const made =
    into === undefined ? [] : [capsuleKey(into), usesKey(into), ...vectorKeys(into)].map((key) => store.put(key));
  steps.unshift({
    changes: [...made, store.put(partKey(part))],
    apply: () => {
      if (into !== undefined) holdings.drop(into);
      parts.splice(parts.indexOf(part), 1);
    },
  });
  await commit(inner, steps);
  return count;
}
