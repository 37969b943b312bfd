import { callMethod, type Checkpoint, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import {
  encodeAddCheckpoint,
  evidenceIn,
  evidenceOfGrowth,
  readCosigners,
  withCosignatures,
} from '@peerai/ledger/witness';
import type { AnsweringDeps } from './answering.ts';
import { booksLimits as limits } from './limits.ts';
import { type LogAnswer, logMethod, type LogQuestion, plainLogQuestion } from './log-protocol.ts';
import { seeOwn } from './own-head-shown.ts';

export interface ExchangeDeps extends AnsweringDeps {
  /** What went wrong with a log last. */
  readonly troubles: Map<PeerId, string>;
  /** Who asked for a signature under a head that does not follow the one we signed last. */
  readonly doubted: Set<PeerId>;
}
export interface Exchange {
  /** Heads for heads, a signature for ours, the next entries of theirs, and a look for forks. Throws what asking throws. */
  with(peer: PeerId, signal: AbortSignal): Promise<void>;
}

/** The side that asks. */
export function createExchange(deps: ExchangeDeps): Exchange {
  const { crypto, ledger, copies, cosigned, troubles, doubted } = deps;
  const ask = (peer: PeerId, question: Partial<LogQuestion> & Pick<LogQuestion, 'kind'>, signal: AbortSignal) =>
    callMethod(deps, peer, logMethod, { ...plainLogQuestion, ...question }, { signal });
  const accuse = async (evidence: Uint8Array | undefined, toldBy: PeerId): Promise<boolean> => {
    if (evidence === undefined) return false;
    await deps.accuse(evidence, toldBy);
    return true;
  };
  /** Runs a comparison; true where it proved a fork. */
  const proves = async (work: () => Promise<void>, toldBy: PeerId): Promise<boolean> => {
    try {
      await work();
      return false;
    } catch (error) {
      if (await accuse(evidenceIn(error), toldBy)) return true;
      throw error;
    }
  };

  /** Asks for a signature under our newest head. */
  const askToSign = async (peer: PeerId, known: bigint, signal: AbortSignal): Promise<void> => {
    const { note, size } = await ledger.checkpoint();
    if (known > size) {
      troubles.set(
        ledger.origin,
        `${peer} has seen ${known} entries of this log, and ${size} are here: repair it before anything is added`,
      );
      deps.logger.warn('ledger-behind', { witness: peer, known: Number(known), size: Number(size) });
      return;
    }
    troubles.delete(ledger.origin);
    if (size === 0n) return;
    const path = known === 0n || known === size ? [] : await ledger.proveConsistency(known, size);
    const { line } = await ask(
      peer,
      { kind: 'witness', body: encodeAddCheckpoint({ oldSize: known, path, note }) },
      signal,
    );
    const isTheirs = readCosigners(crypto, withCosignatures(note, [line ?? ''])).some(
      ({ witness }) => witness === peer,
    );
    if (!isTheirs) throw new PeerAiError('INVALID_FORMAT', 'a witness’s line of somebody else');
    await cosigned.add(note, line ?? '');
  };

  /** The next entries of the peer's log. */
  const fetchEntries = async (peer: PeerId, note: string, signal: AbortSignal): Promise<void> => {
    for (let round = 0; round < limits.rangesAtOnce; round += 1) {
      const held = await copies.view(peer);
      const isBehind = held !== undefined && held.size < held.headSize;
      const under = isBehind ? held.note : note;
      const { size } = openCheckpoint(crypto, under);
      const from = held?.size ?? 0n;
      if (from >= size) return;
      const { entries, path } = await ask(peer, { kind: 'range', origin: peer, from, size }, signal);
      if (entries.length === 0) return;
      await copies.accept({ origin: peer, size, note: under }, from, entries, path);
    }
  };

  /** What the peer's tree of a log had at the size of a head: a larger head that does not contain that one proves a fork. */
  const askPrefix = async (peer: PeerId, { origin, size, note: smaller }: Checkpoint, signal: AbortSignal) => {
    const { note, root, path } = await ask(peer, { kind: 'prefix', origin, size }, signal);
    if (note === undefined || root === undefined) return;
    await accuse(evidenceOfGrowth(crypto, smaller, note, { root, path }), peer);
  };
  const compareLarger = async (peer: PeerId, origin: PeerId, signal: AbortSignal): Promise<void> => {
    const held = await copies.view(origin);
    if (held !== undefined) await askPrefix(peer, { ...held, size: held.headSize }, signal);
  };

  /**
   * What we signed as its witness, against what we have of it: a signature is given before the entries are fetched, so the copy may end before the place
   * where the log went another way, and takes the other way without a contradiction of its own.
   */
  const compareSigned = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    const signed = await deps.witness.head(peer);
    if (signed === undefined || (await proves(() => copies.compare(signed.note), ledger.origin))) return;
    // Of a peer that shows its heads alone there is no copy to compare with.
    if (doubted.delete(peer)) await askPrefix(peer, signed, signal).catch(() => undefined);
  };

  const compareOthers = async (peer: PeerId, notes: readonly string[], signal: AbortSignal): Promise<void> => {
    let left: number = limits.comparesAtOnce;
    for (const note of notes) {
      const { origin, size } = openCheckpoint(crypto, note);
      if (origin === peer || origin === ledger.origin || deps.offenders.has(origin)) continue;
      if (await proves(() => copies.compare(note), peer)) continue;
      const held = await copies.view(origin);
      if (held === undefined || size <= held.headSize || left === 0) continue;
      left -= 1;
      await compareLarger(peer, origin, signal).catch((error: unknown) => {
        if (!PeerAiError.is(error, 'NOT_FOUND')) throw error;
      });
    }
  };

  const follow = async (peer: PeerId, answer: LogAnswer, signal: AbortSignal): Promise<void> => {
    const { note } = answer;
    if (note === undefined || openCheckpoint(crypto, note).origin !== peer)
      throw new PeerAiError('INVALID_FORMAT', 'a head of another log');
    if (await proves(() => copies.compare(note), ledger.origin)) return;
    try {
      await fetchEntries(peer, note, signal);
      troubles.delete(peer);
    } catch (error) {
      if (await accuse(evidenceIn(error), ledger.origin)) return;
      if (!PeerAiError.is(error, 'PROOF_WRONG', 'INVALID_ENTRY', 'LIMIT_REACHED', 'LEDGER_DAMAGED', 'NOT_GRANTED'))
        throw error;
      // Who forked without meaning to, such as by going on from an old backup, says so when asked.
      if (PeerAiError.is(error, 'PROOF_WRONG', 'INVALID_ENTRY'))
        await compareLarger(peer, peer, signal).catch(() => undefined);
      if (deps.offenders.has(peer)) return;
      troubles.set(peer, error.message);
      deps.logger.warn('ledger-not-taken', { origin: peer, code: error.code });
    }
  };

  return {
    async with(peer, signal) {
      const answer = await ask(peer, { kind: 'heads' }, signal);
      await seeOwn(deps, peer, answer.notes);
      for (const evidence of answer.evidence) await deps.accuse(evidence, peer).catch(() => undefined);
      await follow(peer, answer, signal);
      if (deps.offenders.isRefused(peer)) return;
      await compareSigned(peer, signal);
      if (deps.offenders.isRefused(peer)) return;
      await compareOthers(peer, answer.notes, signal);
      await askToSign(peer, answer.known ?? 0n, signal);
    },
  };
}
