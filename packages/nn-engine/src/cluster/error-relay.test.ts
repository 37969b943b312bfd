import { createIdentity, type Identity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { createCluster } from './cluster.ts';
import { createErrorRelay, type ErrorRelay, type Received } from './error-relay.ts';
import { forwardErrorSignal, latencyWeight, openErrorSignal, signErrorSignal } from './error-signal.ts';
import { accuracyOf, toyTasks } from './toy-tasks.ts';
import { classError } from './votes.ts';

const random = seededRandom(5);
const identities = Array.from({ length: 6 }, () => createIdentity(crypto, random.bytes(32)));
const at = (index: number): Identity => identities[index] ?? expect.fail('so many are not there');
const [alice, bob] = [at(0), at(1)];
const relayOf = (identity: Identity): ErrorRelay => createErrorRelay({ crypto }, { self: identity.peer });
const signal = { cluster: 'main', error: [0.5, -0.5], sequence: 1 };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('An error signal', () => {
  it('counts by 1 / (1 + latency), in units of 100 ms', () => {
    expect([0, 100, 300, -5].map(latencyWeight)).toEqual([1, 0.5, 0.25, 1]);
    const received = relayOf(bob).receive(signErrorSignal(alice, signal), 300);
    expect(received).toMatchObject({ cluster: 'main', origin: alice.peer, sequence: 1, weight: 0.25, hops: 1 });
    expect([...(received?.error ?? [])]).toEqual([0.125, -0.125]);
  });

  it('weighs less with each link, and ends after four', () => {
    let bytes: Uint8Array | undefined = signErrorSignal(alice, signal);
    const weights: number[] = [];
    for (const identity of identities.slice(1)) {
      const received: Received | undefined = bytes === undefined ? undefined : relayOf(identity).receive(bytes, 100);
      if (received !== undefined) weights.push(received.weight);
      bytes = received?.forward;
    }
    expect(weights).toEqual([0.5, 0.25, 0.125, 0.0625]);
  });

  it('that claims more links than there may be, or more weight, is refused', () => {
    const bytes = signErrorSignal(alice, signal);
    const claim = (hop: number, weight: number) => () =>
      openErrorSignal(crypto, forwardErrorSignal(bytes, { hop, weight }));
    expect(claim(limits.errorHopsMax - 1, 1)()).toMatchObject({ hop: 3, weight: 1 });
    for (const [hop, weight] of [
      [limits.errorHopsMax, 1],
      [0, 1.01],
      [0, -0.1],
      [0, NaN],
    ] as const)
      expect(claim(hop, weight)).toThrow(code('INVALID_FORMAT'));
  });

  it('is heard once, whichever way it comes, and not by who sent it', () => {
    const relay = relayOf(bob);
    const bytes = signErrorSignal(alice, signal);
    expect(relay.receive(bytes, 0)).toBeDefined();
    expect(relay.receive(bytes, 0)).toBeUndefined();
    expect(relay.receive(forwardErrorSignal(bytes, { hop: 2, weight: 0.5 }), 0)).toBeUndefined();
    expect(relay.receive(signErrorSignal(alice, { ...signal, sequence: 0 }), 0)).toBeUndefined();
    expect(relay.receive(signErrorSignal(alice, { ...signal, cluster: 'other' }), 0)).toBeDefined();
    expect(relay.receive(signErrorSignal(alice, { ...signal, sequence: 2 }), 0)).toBeDefined();
    expect(relayOf(alice).receive(bytes, 0)).toBeUndefined();
  });

  it('goes round no loop, in whatever network: each peer hears it once at the most', () => {
    const pairs = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 15 });
    const property = fc.property(pairs, (links) => {
      const relays = identities.map(relayOf);
      const heard = identities.map(() => 0);
      let waiting = [{ at: 0, bytes: signErrorSignal(alice, signal) }];
      for (let sent = 0; waiting.length > 0;) {
        const next: typeof waiting = [];
        for (const { at: from, bytes } of waiting)
          for (const to of links.flatMap(([a, b]) => (a === from ? [b] : b === from ? [a] : []))) {
            sent += 1;
            const received = relays[to]?.receive(bytes, 10);
            if (received === undefined) continue;
            heard[to] = (heard[to] ?? 0) + 1;
            if (received.forward !== undefined) next.push({ at: to, bytes: received.forward });
          }
        waiting = next;
        expect(sent).toBeLessThanOrEqual(links.length * 2 + identities.length);
      }
      expect(Math.max(...heard)).toBeLessThanOrEqual(1);
      expect(heard[0]).toBe(0);
    });
    fc.assert(property, { numRuns: 50 });
  });

  it('is remembered for so many origins and clusters, and one more lets the oldest go', () => {
    const relay = relayOf(bob);
    const first = signErrorSignal(alice, { ...signal, cluster: '0' });
    const hear = (cluster: number) => relay.receive(signErrorSignal(alice, { ...signal, cluster: String(cluster) }), 0);
    for (let cluster = 0; cluster < limits.errorOriginsMax; cluster += 1) hear(cluster);
    expect(relay.receive(first, 0)).toBeUndefined();
    hear(limits.errorOriginsMax);
    expect(relay.receive(first, 0)).toBeDefined();
  });

  it.each([
    ['no name', { cluster: '' }],
    ['a name too long', { cluster: 'x'.repeat(limits.clusterNameCharsMax + 1) }],
    ['no error', { error: [] }],
    ['an error too many', { error: Array.from({ length: limits.clusterOutputsMax + 1 }, () => 0) }],
    ['an error above 1', { error: [1.1] }],
    ['an error that is no number', { error: [NaN] }],
    ['half a sequence', { sequence: 0.5 }],
  ])('is not sent with %s', (_, over) => {
    expect(() => signErrorSignal(alice, { ...signal, ...over })).toThrow(code('INVALID_OPTION'));
  });

  it('is as long as its limits allow, and signed by its origin', () => {
    const longest = {
      cluster: 'x'.repeat(limits.clusterNameCharsMax),
      error: Array.from({ length: limits.clusterOutputsMax }, () => 1),
      sequence: Number.MAX_SAFE_INTEGER,
    };
    const bytes = signErrorSignal(alice, longest);
    expect({ ...openErrorSignal(crypto, bytes), error: longest.error }).toMatchObject(longest);
    const place = bytes.indexOf('x'.codePointAt(0) ?? 0);
    bytes[place] = 'y'.codePointAt(0) ?? 0;
    expect(() => openErrorSignal(crypto, bytes)).toThrow(code('INVALID_SIGNATURE'));
  });

  it('ten thousand mutations are read or refused with a code', () => {
    const valid = signErrorSignal(alice, signal);
    const relay = relayOf(bob);
    expect(refusedMutations(valid, random, (bytes) => relay.receive(bytes, 1))).toBeGreaterThan(9_000);
  });
});

describe('The errors of one peer', () => {
  it('move another’s adaptation, the less the further away it is', () => {
    const moved = (latencyMs: number): number => {
      const cluster = createCluster({ nodes: 8, inputs: 2, seed: 3 });
      const before = cluster.nodes().map(({ thresholdRate }) => thresholdRate);
      cluster.present([0.8, 0.7]);
      const received = relayOf(bob).receive(signErrorSignal(alice, { ...signal, error: [1, -1] }), latencyMs);
      cluster.learn(received?.error ?? []);
      return cluster.nodes().reduce((sum, node, index) => sum + node.thresholdRate - (before[index] ?? 0), 0);
    };
    const [near, far] = [moved(0), moved(50)];
    expect(near).toBeGreaterThan(far);
    expect(far).toBeGreaterThan(0);
  });

  it('teach a peer that sees the inputs and not the answers: 20 points better than without, median of five seeds', () => {
    const task = toyTasks['same-sign'];
    const readings = [1, 2, 3, 4, 5].map((seed) => {
      const [a, b, alone] = [seed, seed + 50, seed + 50].map((own) =>
        createCluster({ nodes: 32, inputs: 2, seed: own }),
      );
      if (a === undefined || b === undefined || alone === undefined) return expect.fail('three clusters');
      const relay = relayOf(bob);
      const samples = seededUnit(seed + 100);
      for (let sequence = 1; sequence <= 300; sequence += 1) {
        const { input, label } = task(samples);
        const error = classError(a.present(input), label);
        b.present(input);
        a.learn(error);
        b.learn(relay.receive(signErrorSignal(alice, { cluster: 'main', error, sequence }), 20)?.error ?? []);
      }
      const judge = { seed: seed + 900 };
      return { with: accuracyOf(b, task, judge), without: accuracyOf(alone, task, judge) };
    });
    const middle = (values: readonly number[]): number => values.toSorted((x, y) => x - y)[2] ?? NaN;
    const gain = middle(readings.map((reading) => reading.with)) - middle(readings.map(({ without }) => without));
    expect(gain).toBeGreaterThanOrEqual(0.2);
  });
});
