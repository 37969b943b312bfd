import { PeerAiError, type PeerId, parsePeerId } from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { copyLimits, storedPrefix } from '@peerai/ledger/sync';
import { decodeAddCheckpoint, evidenceIn } from '@peerai/ledger/witness';
import { booksLimits as limits } from './limits.ts';
import { type LogAnswer, type LogQuestion, plainLogAnswer } from './log-protocol.ts';
import type { LogRoom, LogRoomDeps } from './log-room.ts';

export type AnsweringDeps = LogRoomDeps &
  Pick<LogRoom, 'copies' | 'witness' | 'cosigned' | 'accuse'> & {
    /** Its newest head does not follow the one that was signed for it last: its log is looked at again, soon. */
    readonly doubt: (peer: PeerId) => void;
  };

/**
 * The side that is asked. Throws NOT_FOUND (no such log here), NOT_GRANTED (our entries are not shown), NOT_IN_LOG, PROOF_WRONG, WITNESS_CONFLICT,
 * INVALID_FORMAT, and what reading throws.
 */
export function createAnswering(deps: AnsweringDeps): (peer: PeerId, question: LogQuestion) => Promise<LogAnswer> {
  const { ledger, copies, witness, offenders } = deps;
  const heads = async (asker: PeerId): Promise<LogAnswer> => {
    const stood = await witness.head(asker);
    // What we have of the asker's own log first: it shows one who lost some of it what is missing.
    const origins = (await copies.list()).toSorted((a, b) => Number(b === asker) - Number(a === asker));
    const notes: string[] = [];
    for (const origin of origins.slice(0, limits.headsMax)) {
      const view = await copies.view(origin).catch(() => undefined);
      if (view !== undefined) notes.push(view.note);
      if (origin === asker && stood !== undefined && stood.size > (view?.headSize ?? 0n)) notes.push(stood.note);
    }
    if (stood !== undefined && !origins.includes(asker)) notes.unshift(stood.note);
    return {
      ...plainLogAnswer,
      note: (await ledger.checkpoint()).note,
      known: stood?.size ?? 0n,
      notes: notes.slice(0, limits.headsMax),
      evidence: offenders
        .list()
        .slice(-limits.evidenceMax)
        .map(({ evidence }) => evidence),
    };
  };
  const range = async (asker: PeerId, origin: PeerId, from: bigint, size: bigint): Promise<LogAnswer> => {
    const isOwn = origin === ledger.origin;
    // What others say of their dealings is theirs to show: a copy goes back to its writer alone.
    if (!isOwn && origin !== asker) throw new PeerAiError('NOT_GRANTED', 'copies are given to their writer alone');
    if (isOwn && !deps.showsEntries)
      throw new PeerAiError('NOT_GRANTED', 'this peer shows its heads and proofs, not its entries');
    const entries: Uint8Array[] = [];
    let bytes = 0;
    const to = min(size, from + BigInt(copyLimits.rangeEntriesMax));
    const source = isOwn ? ledger.read(from, to) : copies.read(origin, from, to);
    for await (const entry of source) {
      bytes += entry.length;
      if (entries.length > 0 && bytes > copyLimits.rangeBytesMax) break;
      entries.push(entry);
    }
    const end = from + BigInt(entries.length);
    if (end === 0n || end > size) throw new PeerAiError('NOT_IN_LOG', 'there are no such entries here');
    if (end === size) return { ...plainLogAnswer, entries };
    const path = await (isOwn ? ledger.proveConsistency(end, size) : copies.consistency(origin, end, size));
    return { ...plainLogAnswer, entries, path };
  };
  const prefix = async (origin: PeerId, size: bigint): Promise<LogAnswer> => {
    if (origin === ledger.origin) {
      const { note, size: total } = await ledger.checkpoint();
      if (size === 0n || size > total) throw new PeerAiError('NOT_IN_LOG', `this log has ${total} entries`);
      return { ...plainLogAnswer, note, ...(await storedPrefix(deps.crypto, deps.ledgerStore, size, total)) };
    }
    const claim = await copies.prefix(origin, size);
    const view = await copies.view(origin);
    if (claim === undefined || view === undefined)
      throw new PeerAiError('NOT_FOUND', 'this peer has not all of that log');
    return { ...plainLogAnswer, note: view.note, ...claim };
  };
  const stand = async (peer: PeerId, request: Uint8Array): Promise<LogAnswer> => {
    const { note } = decodeAddCheckpoint(request);
    if (openCheckpoint(deps.crypto, note).origin !== peer)
      throw new PeerAiError('INVALID_FORMAT', 'each peer asks for its own log');
    try {
      await copies.compare(note);
      return { ...plainLogAnswer, line: await witness.add(request) };
    } catch (error) {
      const evidence = evidenceIn(error);
      if (evidence !== undefined) await deps.accuse(evidence, ledger.origin);
      else if (PeerAiError.is(error, 'PROOF_WRONG')) deps.doubt(peer);
      throw error;
    }
  };
  return async (peer, { kind, origin, from, size, body }) => {
    if (kind === 'heads') return heads(peer);
    if (kind === 'witness') return stand(peer, body ?? new Uint8Array());
    if (kind === 'evidence') {
      await deps.accuse(body ?? new Uint8Array(), peer);
      return plainLogAnswer;
    }
    const of = parsePeerId(origin ?? '');
    return kind === 'range' ? range(peer, of, from ?? 0n, size ?? 0n) : prefix(of, size ?? 0n);
  };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
