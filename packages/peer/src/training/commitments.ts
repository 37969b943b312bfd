import { type Change, type EntryBody, fromHex, type Random, saltBytes, toHex } from '@peerai/core-protocol';
import {
  encodeTrainingCommit,
  encodeTrainingReveal,
  type LedgerDeps,
  ledgerLimits,
  openRevealed,
  trainingCommitKind,
  trainingRevealKind,
  updateCommitment,
} from '@peerai/ledger';
import { records } from '../store/records.ts';
import type { RunBookDeps } from './run-book.ts';

/** A commitment with what opens it, hashes in hex: secret until it is revealed. */
interface Kept {
  readonly round: number;
  readonly base: string;
  readonly commitment: string;
  readonly salt: string;
  readonly receipt: string;
  readonly revealed?: true;
}

/** What goes into the log with the result of a round. */
export interface Revealed {
  /** This peer's receipt, where its log may say that it counted. */
  readonly own: Uint8Array | undefined;
  readonly entries: readonly EntryBody[];
  readonly alongside: readonly Change[];
}

/** What this peer's log says of its own updates of one run, before they leave and after. */
export interface Commitments {
  /** In the log and on the disk when it resolves, with the salt: the update may leave after that. One at a time. Throws what the log throws. */
  commit(receipt: Uint8Array): Promise<Uint8Array>;
  /**
   * For the result of the round that began at `base`: the update that counted is revealed, once; where none did, the newest that was handed in, which may have come too late.
   *
   * @param own - this peer's receipt among those of the result.
   */
  reveal(round: number, base: Uint8Array, own: Uint8Array | undefined): Revealed;
}

export interface CommitmentsDeps extends Pick<RunBookDeps, 'store' | 'ledger'>, Pick<LedgerDeps, 'crypto'> {
  readonly random: Random;
}

/** @param run - SHA-256 of its terms, hex. What is kept of it outlives the run's own rows: the log remembers a run that is begun again. */
export async function openCommitments(deps: CommitmentsDeps, run: string): Promise<Commitments> {
  const { crypto, ledger, random, store } = deps;
  const rows = records<readonly Kept[]>(store.room('training'), 'commitments');
  let kept = (await rows.get(run)) ?? [];
  return {
    async commit(receipt) {
      const { round, base } = openRevealed(crypto, receipt);
      const salt = random.bytes(saltBytes);
      const commitment = updateCommitment(crypto, salt, receipt);
      const [before] = kept.slice(-1);
      const instead = before === undefined || round > before.round ? undefined : fromHex(before.commitment);
      const one: Kept = {
        round,
        base: toHex(base),
        commitment: toHex(commitment),
        salt: toHex(salt),
        receipt: toHex(receipt),
      };
      // As a reader of the log counts: what the run has left behind is not revealed any more.
      const next = [...(instead === undefined ? [] : kept), one].slice(-ledgerLimits.commitmentsLiveMax);
      const body = encodeTrainingCommit({ run: fromHex(run), round, base, commitment, instead });
      await ledger.append([{ kind: trainingCommitKind, body }], [rows.put(run, next)]);
      kept = next;
      return salt;
    },
    reveal(round, base, own) {
      const [at, receipt] = [toHex(base), own && toHex(own)];
      const newest = kept.findLast((one) => one.round === round && one.base === at);
      const one = receipt === undefined ? newest : kept.find((each) => each.receipt === receipt);
      // From the first commitment on a log claims nothing that it cannot reveal.
      if (one === undefined) return { own: kept.length === 0 ? own : undefined, entries: [], alongside: [] };
      if (one.revealed === true) return { own, entries: [], alongside: [] };
      kept = kept.map((each) => (each === one ? { ...each, revealed: true } : each));
      const body = encodeTrainingReveal({ salt: fromHex(one.salt), receipt: fromHex(one.receipt) });
      return { own, entries: [{ kind: trainingRevealKind, body }], alongside: [rows.put(run, kept)] };
    },
  };
}
