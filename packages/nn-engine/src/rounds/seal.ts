import { commitmentTo, type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';

import type { Refusal } from './aggregate.ts';
import { type ClosedRound, openReceipt } from './messages.ts';

/** What a member says of its update before anybody sees it; in a sealed run the coordinator gathers it from all before it opens any update. */
export const updateCommitment = (
  crypto: Pick<CryptoProvider, 'sha256'>,
  salt: Uint8Array,
  receipt: Uint8Array,
): Uint8Array => commitmentTo(crypto, 'peerai/train/1 commitment', { salt, sealed: receipt });

/** SHA-256 over the commitments, sorted: what a coordinator binds itself to when it opens a round. */
export function sealOf(crypto: Pick<CryptoProvider, 'sha256'>, commitments: readonly Uint8Array[]): Uint8Array {
  return crypto.sha256(...commitments.toSorted(compareBytes));
}

/** A coordinator's side of one try of a sealed round: commitments first, then the updates that fit them. */
export class Seal {
  readonly #crypto: CryptoProvider;
  readonly #commitments = new Map<PeerId, Uint8Array>();
  /** Who handed in another update than it had committed to: nothing more of it is taken in this round. */
  readonly #barred: Set<PeerId>;
  /** Counted from 1; with another try everybody commits again. */
  readonly attempt: number;
  #opened: Uint8Array | undefined;

  constructor(crypto: CryptoProvider, before?: Seal) {
    this.#crypto = crypto;
    this.attempt = (before?.attempt ?? 0) + 1;
    this.#barred = new Set(before === undefined ? [] : before.#barred);
  }

  get commitments(): readonly Uint8Array[] {
    return [...this.#commitments.values()];
  }
  /** SHA-256 over all commitments, once updates are taken. */
  get opened(): Uint8Array | undefined {
    return this.#opened;
  }
  get size(): number {
    return this.#commitments.size;
  }

  /** True when it came too late. Before the round opens a member may begin again. */
  commit(peer: PeerId, commitment: Uint8Array): boolean {
    if (commitment.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'A commitment has 32 bytes.');
    if (this.#barred.has(peer)) throw misfit();
    if (this.#opened === undefined) this.#commitments.set(peer, commitment);
    return !equalBytes(this.#commitments.get(peer) ?? new Uint8Array(), commitment);
  }

  /** From here on no commitment is taken. */
  open(): void {
    this.#opened ??= sealOf(this.#crypto, this.commitments);
  }

  /** Whether this peer committed in time. Throws REFUSED for an update that is not the one, and from then on for all of that peer's. */
  admits(peer: PeerId, salt: Uint8Array | undefined, receipt: Uint8Array): boolean {
    if (this.#opened === undefined) throw new PeerAiError('REFUSED', 'This round is sealed, and not open yet.');
    if (this.#barred.has(peer)) throw misfit();
    const commitment = this.#commitments.get(peer);
    if (commitment === undefined) return false;
    if (salt?.length === 32 && equalBytes(updateCommitment(this.#crypto, salt, receipt), commitment)) return true;
    this.#barred.add(peer);
    throw misfit();
  }

  /** Once it is open: all of whom something can still come have handed in; or time is over, and more than half of those who committed have. */
  isComplete(updates: ReadonlyMap<PeerId, unknown>, present: readonly PeerId[], timeIsOver: boolean): boolean {
    if (this.#opened === undefined) return false;
    return timeIsOver ? updates.size * 2 > this.size : this.#isOver(updates, present);
  }

  /** Once it is open: nothing more can come, or time is over, while enough for another try are there. */
  isStuck(
    updates: ReadonlyMap<PeerId, unknown>,
    present: readonly PeerId[],
    needed: number,
    timeIsOver: boolean,
  ): boolean {
    if (this.#opened === undefined || !(timeIsOver || this.#isOver(updates, present))) return false;
    return present.filter((peer) => !this.#barred.has(peer)).length >= needed;
  }

  #isOver(updates: ReadonlyMap<PeerId, unknown>, present: readonly PeerId[]): boolean {
    return present.every((peer) => updates.has(peer) || this.#barred.has(peer) || !this.#commitments.has(peer));
  }

  refused(): readonly Refusal[] {
    return Array.from(this.#barred, (peer) => ({ peer, reason: 'not-committed' }));
  }
}

/**
 * What every member checks of a sealed round that closed: each update was committed to before any was opened, the coordinator's own among them.
 * @param told - the seal that this member was told when the round was opened, if it was.
 * Throws REFUSED, INVALID_FORMAT, INVALID_SIGNATURE.
 */
export function checkSealed(
  crypto: CryptoProvider,
  { receipts, commitments, salts, attempt }: ClosedRound,
  told: { readonly attempt: number; readonly opened: Uint8Array | undefined } | undefined,
): void {
  const isOther =
    told?.opened !== undefined && told.attempt === attempt && !equalBytes(told.opened, sealOf(crypto, commitments));
  if (isOther) throw new PeerAiError('REFUSED', 'The round closed with other commitments than it was opened with.');
  for (const [index, receipt] of receipts.entries()) {
    const commitment = updateCommitment(crypto, salts[index] ?? new Uint8Array(), receipt);
    if (commitments.some((one) => equalBytes(one, commitment))) continue;
    const { peer } = openReceipt(crypto, receipt);
    throw new PeerAiError('REFUSED', 'An update of the round is not the one that was committed to.', { peer });
  }
}

const misfit = (): PeerAiError => new PeerAiError('REFUSED', 'The update is not the one that this peer committed to.');

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place < 0 ? 0 : (a[place] ?? 0) - (b[place] ?? 0);
}
