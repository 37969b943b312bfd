import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toHex } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { PeerAiError } from '../errors.ts';
import { sessionPair } from '../testing/session-pair.ts';
import { readFrame } from './frame.ts';
import { restoreSession, type Session, standardSuites } from './index.ts';

const startMs = 1_750_000_000_000;
const action = fc.record({
  what: fc.constantFrom(
    'send',
    'send',
    'send',
    'deliver',
    'deliver',
    'deliver',
    'again',
    'forge',
    'crash',
    'wait',
    'skip',
  ),
  who: fc.constantFrom(0, 1),
  pick: fc.nat(1_000),
});
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** What one end has on disk and what it has taken, as its owner sees it. */
interface End {
  session: Session;
  disk: Uint8Array;
  readonly taken: Set<string>;
}

/** Runs a schedule and says what went wrong: `lose` is the mutant whose disk forgets. */
function play(actions: readonly Action[], form: 'three' | 'six', lose = false): string | undefined {
  let nowMs = startMs;
  const pair = sessionPair({ crypto, form, rekeyFrames: 5, lifeMs: 100_000, nowMs });
  const ends: readonly End[] = [pair.initiator, pair.responder].map((session) => ({
    session,
    disk: session.snapshot(),
    taken: new Set<string>(),
  }));
  const wires: readonly [Uint8Array[], Uint8Array[]] = [[], []];
  const said: readonly [Set<string>, Set<string>] = [new Set(), new Set()];
  const nonces = new Map<string, string>();
  let count = 0;
  for (const { what, who, pick } of actions) {
    const [end, other] = [ends[who], ends[1 - who]];
    const [wire, heard] = [wires[who === 0 ? 0 : 1], said[who === 0 ? 0 : 1]];
    if (end === undefined || other === undefined) continue;
    try {
      if (what === 'send') {
        const text = `${who}/${(count += 1)}`;
        const { frame, persist } = end.session.seal('k', new TextEncoder().encode(text), nowMs);
        if (persist !== undefined && !lose) end.disk = persist;
        const { header } = readFrame(frame);
        const nonce = `${who}/${header.epoch}/${header.sequence}`;
        if (nonces.has(nonce)) return `the nonce ${nonce} comes twice`;
        nonces.set(nonce, text);
        wire.push(frame);
        heard.add(text);
      } else if (what === 'deliver' || what === 'again' || what === 'forge') {
        const place = pick % Math.max(1, wire.length);
        let frame = wire[place];
        if (frame === undefined) continue;
        if (what === 'deliver') wire.splice(place, 1);
        if (what === 'forge') frame = frame.map((byte, index) => (index === pick % wire.length ? byte ^ 4 : byte));
        const { payload, persist } = other.session.open(frame, nowMs);
        if (persist !== undefined && !lose) other.disk = persist;
        const text = new TextDecoder().decode(payload);
        if (!heard.has(text)) return `took ${toHex(payload)}, which nobody sent`;
        if (other.taken.has(text)) return `took ${text} twice`;
        other.taken.add(text);
      } else if (what === 'crash') {
        end.session = restoreSession({ crypto, suites: standardSuites(crypto) }, end.disk, nowMs);
      } else if (what === 'skip') {
        end.session.skipTo(1 + (pick % 100));
      } else {
        nowMs += pick;
      }
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
  return undefined;
}

const schedule = fc.array(action, { minLength: 20, maxLength: 150 });
const form = fc.constantFrom('three' as const, 'six' as const);

it('in any schedule of loss, repeats, reordering, crashes and new keys, takes only what was sent, each once, and uses no nonce twice', () => {
  fc.assert(
    fc.property(schedule, form, (actions, form) => {
      expect(play(actions, form)).toBeUndefined();
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('and the same schedules catch a peer whose disk forgets', () => {
  const found = fc.check(
    fc.property(schedule, form, (actions, form) => play(actions, form, true) === undefined),
    { numRuns: 150, seed: 1, endOnFailure: true },
  );
  expect(found.failed).toBe(true);
}, 60_000);
