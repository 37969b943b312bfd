import type { Network } from '@peerai/core-protocol';
import { callMethod, toHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { describe, expect, it } from 'vitest';

import { fromFixedPoint } from '../../privacy/index.ts';
import { seededUnit } from '../../train/random.ts';
import type { Learner } from '../index.ts';
import { signReceipt, submitMethod } from '../messages.ts';
import { checkRun } from '../run-spec.ts';
import { encodeState, firstState } from '../shared-state.ts';
import { smallRun } from '../testing/spec.ts';
import { type Member, village } from '../testing/private-run.ts';
import { inputOf, meanOf } from './input.ts';
import { decodeWords, encodeWords, sumMethod } from './messages.ts';

const size = 200;

/** Everything that came to a peer over its channels. */
function recording(network: Network, heard: Uint8Array[]): Network {
  const wrapped = <T extends AsyncIterable<Uint8Array>>(channel: T): T =>
    new Proxy(channel, {
      get(target, key) {
        if (key !== Symbol.asyncIterator) {
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        }
        return () => {
          const messages = target[Symbol.asyncIterator]();
          return {
            next: async () => {
              const { done, value } = await messages.next();
              if (done === true) return { done, value: undefined };
              heard.push(value);
              return { done, value };
            },
          };
        };
      },
    });
  return {
    self: network.self,
    addresses: () => network.addresses(),
    open: async (...asked) => wrapped(await network.open(...asked)),
    answer: (protocol, handler) => network.answer(protocol, (channel) => handler(wrapped(channel))),
    links: (signal) => network.links(signal),
    disconnect: (peer) => network.disconnect(peer),
  };
}

describe('what a coordinator of a private run is told', () => {
  it('holds no member’s update, masked inputs look like noise, and their sum is the sum of all', async () => {
    const changes = new Map<number, Float32Array>();
    const { members, clock, spec } = village(4, { size, rounds: 1 }, (place): Learner => {
      const random = seededUnit(place + 1);
      const delta = Float32Array.from({ length: size }, () => random() * 4 - 2);
      changes.set(place, delta);
      return {
        learn: async (weights) => ({ weights: weights.map((value, index) => value - (delta[index] ?? 0)), loss: 1 }),
      };
    });
    const heard: Uint8Array[] = [];
    const [host, ...others] = members as [Member, ...Member[]];
    const through = (network: Network): Network => recording(network, heard);
    const [weights] = await clock.until(
      Promise.all([host.take([], { through }), ...others.map((member) => member.take([host.peer]))]),
    );

    const run = checkRun(crypto, spec);
    const plain = members.map((_, place) =>
      inputOf(run, { delta: changes.get(place) ?? new Float32Array(size), loss: 1 }),
    );
    // No sixteen bytes of any update's plain words, nor of its float32 form, came in.
    const all = heard.map(toHex).join(' ');
    for (const [place, input] of plain.entries()) {
      const float = new Uint8Array((changes.get(place) ?? new Float32Array()).slice().buffer);
      for (const form of [encodeWords(input), float])
        for (let start = 0; start + 16 <= form.length; start += 16)
          expect(all).not.toContain(toHex(form.subarray(start, start + 16)));
    }
    // The masked inputs are among it: of each of the three others one.
    const length = (size + 2) * 4;
    const masked = heard.flatMap((message) => wordsIn(message, length));
    expect(masked).toHaveLength(3);
    // The plain decoder gives of each nothing that goes with any update.
    const scale = { elementMax: 8, members: 4 };
    for (const words of masked)
      for (const [place] of members.entries()) {
        const read = fromFixedPoint(words.subarray(0, size), scale);
        expect(Math.abs(correlation(read, changes.get(place) ?? new Float32Array()))).toBeLessThan(0.3);
      }
    // What the round came to is the plain sum of all four, over four.
    const total = new Uint32Array(size + 2);
    for (const input of plain) for (const [index, word] of input.entries()) total[index] = (total[index] ?? 0) + word;
    const { delta } = meanOf(run, total, 4);
    const most = Math.max(...delta.map(Math.abs));
    for (const [index, value] of delta.entries())
      expect(Math.abs((weights?.[index] ?? 0) + value)).toBeLessThanOrEqual(most / 127);
    // That the decoder does find an update that is not masked.
    expect(
      correlation(fromFixedPoint((plain[1] ?? total).subarray(0, size), scale), changes.get(1) ?? delta),
    ).toBeGreaterThan(0.99);
  });

  it.each(['a plain update in a private run', 'a masked one in an open run'])('%s is refused', async (which) => {
    const isPrivate = which.endsWith('private run');
    const { members, clock, spec } = village(4, { size: 8 }, (): Learner => ({
      learn: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('over')));
        }),
    }));
    const [host, other] = members as [Member, Member];
    const wanted = isPrivate ? spec : { ...smallRun, membersMin: 2 };
    const { hash } = checkRun(crypto, wanted);
    host.take([], { spec: wanted }).catch(() => undefined);
    let network: Network | undefined;
    const through = (own: Network): Network => (network = own);
    other.take([], { spec: { ...smallRun, name: 'another' }, through }).catch(() => undefined);
    await clock.advance(100);
    if (network === undefined) throw new Error('no network');
    const base = crypto.sha256(encodeState(firstState(new Float32Array(8))));
    const receipt = signReceipt(other.identity, {
      run: hash,
      term: 1,
      round: 0,
      base,
      update: base,
      updateBytes: 14,
      loss: 0,
    });
    const { signal } = new AbortController();
    const step = { run: hash, term: 1, base, attempt: 1, step: 'keys' as const, parts: [] };
    const asked: Promise<unknown> = isPrivate
      ? callMethod({ network, clock }, host.peer, submitMethod, { run: hash, receipt, salt: undefined }, { signal })
      : callMethod({ network, clock }, host.peer, sumMethod, step, { signal });
    await expect(clock.until(asked)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(isPrivate ? 'This run is private' : 'This run is open') as string,
    });
    for (const member of [host, other]) member.stop.abort();
  });
});

/** A run of bytes as long as a masked input, where a piece of a blob ends with one. */
function wordsIn(message: Uint8Array, length: number): readonly Uint32Array[] {
  if (message.length < length || message.length > length + 24) return [];
  return [decodeWords(message.subarray(message.length - length), size)];
}

function correlation(one: Float32Array, other: Float32Array): number {
  const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [a, b] = [mean(one), mean(other)];
  let [both, first, second] = [0, 0, 0];
  one.forEach((value, index) => {
    const [x, y] = [value - a, (other[index] ?? 0) - b];
    both += x * y;
    first += x * x;
    second += y * y;
  });
  return both / Math.sqrt(first * second);
}
