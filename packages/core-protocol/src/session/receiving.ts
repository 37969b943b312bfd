import type { CryptoProvider } from '../ports/index.ts';
import { bytes, type FieldTypes, message, optional, uint32, uint53 } from '../wire/index.ts';
import { type Chain, chainFrom, erase } from './chain.ts';
import { sessionError } from './errors.ts';
import { sessionLimits } from './limits.ts';
import { SequenceWindow } from './window.ts';

const fields = {
  epoch: uint32(1),
  key: bytes(2),
  next: bytes(3),
  ceiling: uint53(4),
  taken: optional(bytes(5)),
  oldKey: optional(bytes(6)),
  oldUntilMs: optional(uint53(7)),
};
export const receivingForm = message(fields);

/** One direction's numbers and keys, incoming: each number is taken once, crashes included. */
export class Receiving {
  readonly #crypto: CryptoProvider;
  readonly #window: SequenceWindow;
  #chain: Chain;
  /** The key before the newest, for late frames. */
  #old: { readonly key: Uint8Array; readonly untilMs: number } | undefined;
  /** After a crash all numbers up to here count as taken: so says the disk. */
  #ceiling: number;

  constructor(crypto: CryptoProvider, kept: FieldTypes<typeof fields>) {
    this.#crypto = crypto;
    this.#chain = { epoch: kept.epoch, key: kept.key, next: kept.next };
    this.#window = new SequenceWindow(kept.ceiling, kept.taken);
    this.#ceiling = kept.ceiling;
    if (kept.oldKey !== undefined) this.#old = { key: kept.oldKey, untilMs: kept.oldUntilMs ?? 0 };
  }

  get missing(): number {
    return this.#window.missing;
  }

  /**
   * Opens with the key of this epoch and takes the number; nothing changes when that fails. `persist`: not to be handed on before a new
   * snapshot is on disk. Throws SEQUENCE_ERROR, DECRYPTION_FAILED.
   */
  take(
    { epoch, sequence }: { readonly epoch: number; readonly sequence: number },
    nowMs: number,
    open: (key: Uint8Array) => Uint8Array,
  ): { readonly payload: Uint8Array; readonly gap: number; readonly persist: boolean } {
    this.#window.check(sequence);
    const chains = this.#chainsTo(epoch);
    let payload: Uint8Array;
    try {
      payload = open(chains.at(-1)?.key ?? this.#oldKey(epoch));
    } catch {
      for (const chain of chains.slice(1)) erase(chain.key, chain.next);
      throw sessionError('DECRYPTION_FAILED', 'the sealed bytes do not fit their key, nonce and header');
    }
    const turned = chains.length > 1;
    if (turned) this.#turn(chains, nowMs);
    const gap = this.#window.take(sequence);
    const beyond = sequence > this.#ceiling;
    if (beyond) this.#ceiling = sequence + sessionLimits.receiveBlock - 1;
    return { payload, gap, persist: turned || beyond };
  }

  /** Erases the key before the newest when its time is over. */
  tick(nowMs: number): void {
    if (this.#old === undefined || nowMs < this.#old.untilMs) return;
    erase(this.#old.key);
    this.#old = undefined;
  }

  /** `exact`: the window as it is, nothing promised. */
  keep(exact: boolean): Uint8Array {
    return receivingForm.encode({
      ...this.#chain,
      ceiling: exact ? this.#window.highest : Math.max(this.#window.highest, this.#ceiling),
      taken: exact ? this.#window.taken() : undefined,
      oldKey: this.#old?.key,
      oldUntilMs: this.#old?.untilMs,
    });
  }

  erase(): void {
    erase(this.#chain.key, this.#chain.next, this.#old?.key);
    this.#old = undefined;
  }

  /** From today's chain to that of this epoch; empty for an epoch before. Throws DECRYPTION_FAILED for one too far ahead. */
  #chainsTo(epoch: number): readonly Chain[] {
    const ahead = epoch - this.#chain.epoch;
    if (ahead > sessionLimits.epochsAheadMax) {
      throw sessionError('DECRYPTION_FAILED', 'this frame is too many keys ahead', { epoch });
    }
    const chains: Chain[] = [];
    for (let step = 0; step <= ahead; step += 1) {
      const before = chains.at(-1);
      chains.push(before === undefined ? this.#chain : chainFrom(this.#crypto, before.next, before.epoch + 1));
    }
    return chains;
  }

  #oldKey(epoch: number): Uint8Array {
    if (this.#old !== undefined && epoch === this.#chain.epoch - 1) return this.#old.key;
    throw sessionError('DECRYPTION_FAILED', 'the key of this frame is erased', { epoch });
  }

  /** The last is the chain from now on, the key before it the old one; all others are erased. */
  #turn(chains: readonly Chain[], nowMs: number): void {
    const [newest, before] = [chains.at(-1), chains.at(-2)];
    if (newest === undefined || before === undefined) return;
    for (const chain of chains.slice(0, -1)) erase(chain.next, chain === before ? undefined : chain.key);
    erase(this.#old?.key);
    this.#old = { key: before.key, untilMs: nowMs + sessionLimits.oldKeyMs };
    this.#chain = newest;
  }
}
