import { byteName, fromByteName, fromHex, toHex } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { PeerId } from '../ports/index.ts';

/** Plain JSON, to be kept in a Store. */
export interface ReplaySnapshot {
  readonly floorMs: number;
  /** Sender, its floor, and its nonces (hex) with their timestamps. */
  readonly senders: readonly (readonly [
    sender: PeerId,
    floorMs: number,
    seen: readonly (readonly [nonce: string, timestampMs: number])[],
  ])[];
}
interface Sender {
  /** Messages stamped up to here are refused, known or not. */
  floorMs: number;
  /** Timestamps by `byteName` of the nonce. */
  readonly seen: Map<string, number>;
}

/**
 * Which messages have been here. Remembers every nonce for `replayWindowMs`, in bounded memory: what it must forget early it refuses
 * from then on, so that a replay is never taken for a new message. When it is full, the senders with most nonces lose the older half of
 * them, and their messages stamped no later than those are refused; a flood hurts the one who floods.
 */
export class ReplayWindow {
  readonly #senders = new Map<PeerId, Sender>();
  readonly #entriesMax: number;
  #entries = 0;
  #floorMs: number;
  #prunedMs = Number.NEGATIVE_INFINITY;

  /** @param options - `snapshot`: what an earlier life remembered; `entriesMax`: for tests, below the named limit. */
  constructor(options: { readonly snapshot?: ReplaySnapshot; readonly entriesMax?: number } = {}) {
    const { snapshot, entriesMax = limits.replayEntriesMax } = options;
    this.#entriesMax = entriesMax;
    this.#floorMs = snapshot?.floorMs ?? Number.NEGATIVE_INFINITY;
    for (const [peer, floorMs, seen] of snapshot?.senders ?? []) {
      this.#senders.set(peer, { floorMs, seen: new Map(seen.map(([nonce, ms]) => [byteName(fromHex(nonce)), ms])) });
      this.#entries += 1 + seen.length;
    }
    if (this.#entries > this.#entriesMax) this.#shed();
  }

  /** Nonces and senders held. */
  get entries(): number {
    return this.#entries;
  }

  /** Throws what `accept` would throw and remembers nothing: for a message whose signature is not checked yet. */
  check(sender: PeerId, nonce: Uint8Array, timestampMs: number, nowMs: number): void {
    const known = this.#senders.get(sender);
    const floorMs = Math.max(this.#floorMs, nowMs - limits.replayWindowMs, known?.floorMs ?? Number.NEGATIVE_INFINITY);
    if (timestampMs <= floorMs || known?.seen.has(byteName(nonce))) {
      throw new PeerAiError('REPLAY_DETECTED', 'this message has been here already, or is too old to tell');
    }
  }

  /** Takes a message once. Throws REPLAY_DETECTED for one that was here, or that could have been and is forgotten. */
  accept(sender: PeerId, nonce: Uint8Array, timestampMs: number, nowMs: number): void {
    this.#prune(nowMs);
    this.check(sender, nonce, timestampMs, nowMs);
    const known = this.#senders.get(sender);
    const name = byteName(nonce);
    const entry = known ?? { floorMs: Number.NEGATIVE_INFINITY, seen: new Map<string, number>() };
    if (known === undefined) {
      this.#senders.set(sender, entry);
      this.#entries += 1;
    }
    entry.seen.set(name, timestampMs);
    this.#entries += 1;
    if (this.#entries > this.#entriesMax) this.#shed();
  }

  /** Refuses everything stamped up to this time: for a start without a snapshot. */
  refuseUpTo(timestampMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, timestampMs);
  }

  snapshot(): ReplaySnapshot {
    return {
      floorMs: Number.isFinite(this.#floorMs) ? this.#floorMs : 0,
      senders: [...this.#senders].map(([peer, { floorMs, seen }]) => [
        peer,
        Number.isFinite(floorMs) ? floorMs : 0,
        Array.from(seen, ([nonce, ms]) => [toHex(fromByteName(nonce)), ms] as const),
      ]),
    };
  }

  /** Drops what the window's own floor refuses anyway; every tenth of a window is often enough. */
  #prune(nowMs: number): void {
    if (Math.abs(nowMs - this.#prunedMs) < limits.replayWindowMs / 10) return;
    this.#prunedMs = nowMs;
    // The wall clock may be set back: what is dropped here must stay refused.
    this.refuseUpTo(nowMs - limits.replayWindowMs);
    for (const [peer, sender] of this.#senders) {
      for (const [nonce, timestampMs] of sender.seen) {
        if (timestampMs <= this.#floorMs && sender.seen.delete(nonce)) this.#entries -= 1;
      }
      if (sender.seen.size === 0 && sender.floorMs <= this.#floorMs) this.#drop(peer);
    }
  }

  /** Makes a tenth of the room free at once, so that a full window does not sort itself at every message. */
  #shed(): void {
    const target = Math.floor(this.#entriesMax * 0.9);
    while (this.#entries > target) {
      const before = this.#entries;
      for (const [, sender] of [...this.#senders].toSorted(([, a], [, b]) => b.seen.size - a.seen.size)) {
        if (this.#entries <= target || sender.seen.size < 2) break;
        this.#halve(sender);
      }
      if (this.#entries === before) this.#shedSenders();
    }
  }

  #halve(sender: Sender): void {
    const times = [...sender.seen.values()].toSorted((a, b) => a - b);
    sender.floorMs = Math.max(sender.floorMs, times[Math.floor((times.length - 1) / 2)] ?? sender.floorMs);
    for (const [nonce, timestampMs] of sender.seen) {
      if (timestampMs <= sender.floorMs && sender.seen.delete(nonce)) this.#entries -= 1;
    }
  }

  /** Nobody has more than one: the quarter of senders heard of longest ago goes, and one floor stands for all of them. */
  #shedSenders(): void {
    const latest = ({ floorMs, seen }: Sender): number => Math.max(floorMs, ...seen.values());
    const oldest = [...this.#senders].toSorted(([, a], [, b]) => latest(a) - latest(b));
    for (const [peer, sender] of oldest.slice(0, Math.ceil(oldest.length / 4))) {
      this.refuseUpTo(latest(sender));
      this.#drop(peer);
    }
  }

  #drop(peer: PeerId): void {
    this.#entries -= 1 + (this.#senders.get(peer)?.seen.size ?? 0);
    this.#senders.delete(peer);
  }
}
