import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { PeerId } from '../ports/index.ts';
import { ReplayWindow } from './replay.ts';

const [alice, bob] = ['alice', 'bob'] as PeerId[] as [PeerId, PeerId];
const startMs = 1_750_000_000_000;
const nonce = (number: number): Uint8Array => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
};
const replayed = expect.objectContaining({ code: 'REPLAY_DETECTED' });

describe('A replay window', () => {
  it('takes each nonce once a sender', () => {
    const window = new ReplayWindow();
    window.accept(alice, nonce(1), startMs, startMs);
    expect(() => window.accept(alice, nonce(1), startMs, startMs)).toThrow(replayed);
    expect(() => window.accept(alice, nonce(1), startMs + 5, startMs)).toThrow(replayed);
    window.accept(bob, nonce(1), startMs, startMs);
    window.accept(alice, nonce(2), startMs, startMs);
  });

  it('forgets what is older than the window, and refuses it by its age instead', () => {
    const window = new ReplayWindow();
    window.accept(alice, nonce(1), startMs, startMs);
    const laterMs = startMs + limits.replayWindowMs;
    window.accept(bob, nonce(1), laterMs, laterMs);
    expect(window.entries).toBe(2);
    expect(() => window.accept(alice, nonce(1), startMs, laterMs)).toThrow(replayed);
    expect(() => window.accept(alice, nonce(1), startMs, startMs)).toThrow(replayed);
    window.accept(alice, nonce(3), startMs + 1, laterMs);
  });

  it('survives a restart with its snapshot, and without one refuses what came before', () => {
    const window = new ReplayWindow();
    window.accept(alice, nonce(1), startMs, startMs);
    const again = new ReplayWindow({ snapshot: JSON.parse(JSON.stringify(window.snapshot())) });
    expect(() => again.accept(alice, nonce(1), startMs, startMs + 10)).toThrow(replayed);
    again.accept(alice, nonce(2), startMs, startMs + 10);
    const bare = new ReplayWindow();
    bare.refuseUpTo(startMs);
    expect(() => bare.accept(alice, nonce(2), startMs, startMs + 10)).toThrow(replayed);
    bare.accept(alice, nonce(2), startMs + 1, startMs + 10);
  });

  it('holds no more than its limit, and a flood costs the one who floods', () => {
    const window = new ReplayWindow({ entriesMax: 100 });
    window.accept(bob, nonce(0), startMs - 1_000, startMs);
    for (let count = 0; count < 1_000; count += 1) {
      window.accept(alice, nonce(count), startMs + count, startMs);
      expect(window.entries).toBeLessThanOrEqual(100);
    }
    window.accept(bob, nonce(1), startMs - 999, startMs);
    expect(() => window.accept(alice, nonce(5_000), startMs + 1, startMs)).toThrow(replayed);
  });

  it('keeps its named limit', () => {
    const seen = Array.from(
      { length: limits.replayEntriesMax - 1 },
      (_, index) => [index.toString(16).padStart(48, '0'), startMs + index] as const,
    );
    const window = new ReplayWindow({ snapshot: { floorMs: 0, senders: [[alice, 0, seen]] } });
    expect(window.entries).toBe(limits.replayEntriesMax);
    window.accept(alice, nonce(1), startMs + limits.replayEntriesMax, startMs);
    expect(window.entries).toBeLessThan(limits.replayEntriesMax);
  });

  it('never takes a message twice, whatever the order, the crowd and the clock', () => {
    const event = fc.record({
      sender: fc.constantFrom(...(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as PeerId[])),
      number: fc.integer({ min: 0, max: 12 }),
      clockMs: fc.integer({ min: -400_000, max: 400_000 }),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), fc.integer({ min: 2, max: 20 }), (events, entriesMax) => {
        let window = new ReplayWindow({ entriesMax });
        const taken = new Set<string>();
        for (const { sender, number, clockMs, restart } of events) {
          if (restart) window = new ReplayWindow({ entriesMax, snapshot: window.snapshot() });
          const name = `${sender} ${number}`;
          try {
            // A message keeps its timestamp, however often it comes.
            window.accept(sender, nonce(number), startMs + number * 1_000, startMs + clockMs);
          } catch {
            continue;
          }
          expect(taken.has(name)).toBe(false);
          taken.add(name);
          expect(window.entries).toBeLessThanOrEqual(entriesMax);
        }
      }),
      { numRuns: 500 },
    );
  });
});
