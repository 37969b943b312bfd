import { createIdentity, type Identity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import {
  createSumMember,
  maskedTotal,
  type SumParts,
  type SumTerms,
  thresholdOf,
  toFixedPoint,
} from '@peerai/nn-engine/privacy';
import { type Bench, processorSeconds, type Result, resultOf } from '../harness.ts';
import { limits } from '../limits.ts';

const counts = [4, 10, 20];
const sizes = [10_000, 1_000_000];

/** What does a masked sum cost a member and its coordinator, in milliseconds and bytes? */
export const maskedSum: Bench = {
  name: 'masked-sum',
  async run({ signal, log }) {
    const results: Result[] = [];
    for (const size of sizes)
      for (const count of counts) {
        signal.throwIfAborted();
        log(`${count} members, ${size} elements`);
        results.push(...(await measured(count, size)));
      }
    return {
      results,
      notes: [
        'All steps of one sum in one process, one after the other: medians over the members, and for the coordinator over five times, of processor time. Plain: adding up the same inputs without masks, and comparing.',
        'Bytes are the contents of the steps, without framing. A member receives the keys, shares and signatures of the others; the coordinator receives what the members send.',
      ],
    };
  },
};

export async function processorMs(work: () => unknown): Promise<number> {
  return (await processorSeconds(work)) * 1_000;
}

/** What one member took and gave. */
export interface Cost {
  keysMs: number;
  maskMs: number;
  endMs: number;
  sent: number;
  received: number;
}

async function measured(count: number, size: number): Promise<readonly Result[]> {
  const random = seededRandom(count);
  const identities = Array.from({ length: count }, () => createIdentity(crypto, random.bytes(32)));
  const terms = {
    run: random.bytes(32),
    members: identities.map(({ peer }) => peer),
    threshold: thresholdOf(count),
    size,
  };
  const inputs = inputsOf(count, size);
  const { costs, parts } = await collected(identities, terms, inputs);
  const gone = new Set(terms.members.slice(terms.threshold));
  const { parts: leaving } = await collected(identities, { ...terms, run: random.bytes(32) }, inputs, gone);
  let total = new Uint32Array();
  const coordinator = { whole: [] as number[], plain: [] as number[], leaving: [] as number[] };
  for (let round = 0; round < limits.roundsMin; round += 1) {
    coordinator.whole.push(
      await processorMs(async () => (total = new Uint32Array(await maskedTotal(crypto, terms, parts)))),
    );
    coordinator.plain.push(await processorMs(() => check(inputs, total)));
    coordinator.leaving.push(await processorMs(async () => void (await maskedTotal(crypto, leaving.terms, leaving))));
  }
  const name = `${count} members, ${size.toLocaleString('en')} elements`;
  const row = (what: string, unit: string, candidate: readonly number[]): Result =>
    resultOf({ case: `${name}: ${what}`, unit, candidate });
  return [
    row(
      'a member, keys and shares',
      'ms',
      costs.map(({ keysMs }) => keysMs),
    ),
    row(
      'a member, masking',
      'ms',
      costs.map(({ maskMs }) => maskMs),
    ),
    row(
      'a member, confirming and unmasking',
      'ms',
      costs.map(({ endMs }) => endMs),
    ),
    resultOf({
      case: `${name}: the coordinator, none gone, against plain`,
      unit: 'ms',
      candidate: coordinator.whole,
      baseline: coordinator.plain,
    }),
    row(`the coordinator, ${gone.size} gone`, 'ms', coordinator.leaving),
    row(
      'a member sends',
      'B',
      costs.map(({ sent }) => sent),
    ),
    row(
      'of it besides 4 bytes an element',
      'B',
      costs.map(({ sent }) => sent - size * 4),
    ),
    row(
      'a member receives',
      'B',
      costs.map(({ received }) => received),
    ),
    row('the coordinator receives', 'B', [costs.reduce((sum, { sent }) => sum + sent, 0)]),
  ];
}

export function inputsOf(count: number, size: number): readonly Uint32Array[] {
  const scale = { elementMax: 1, members: count };
  return Array.from({ length: count }, (_, member) =>
    toFixedPoint(
      Float32Array.from({ length: size }, (_value, index) => Math.sin(index + member)),
      scale,
    ),
  );
}

/** The plain sum, and that the masked one is the same. */
function check(inputs: readonly Uint32Array[], total: Uint32Array): void {
  const plain = new Uint32Array(total.length);
  for (const input of inputs)
    for (let index = 0; index < input.length; index += 1) plain[index] = (plain[index] ?? 0) + (input[index] ?? 0);
  if (plain.some((word, index) => word !== total[index])) throw new Error('the masked sum is not the plain one');
}

/** All steps with an honest coordinator. @param gone - who leaves after the shares. */
export async function collected(
  identities: readonly Identity[],
  terms: SumTerms,
  inputs: readonly Uint32Array[],
  gone: ReadonlySet<PeerId> = new Set(),
): Promise<{ readonly costs: readonly Cost[]; readonly parts: SumParts & { readonly terms: SumTerms } }> {
  const random = seededRandom(7);
  const members = identities.map((identity, place) => ({
    peer: identity.peer,
    input: inputs[place] ?? new Uint32Array(terms.size),
    member: createSumMember({ crypto, random, identity }, terms),
    cost: { keysMs: 0, maskMs: 0, endMs: 0, sent: 0, received: 0 },
  }));
  const bytesOf = (all: Iterable<Uint8Array>): number => Array.from(all).reduce((sum, { length }) => sum + length, 0);
  const keys: Uint8Array[] = [];
  for (const { member, cost } of members) cost.keysMs += await processorMs(() => void keys.push(member.advertise()));
  const boxes = new Map<PeerId, ReadonlyMap<PeerId, Uint8Array>>();
  for (const { peer, member, cost } of members) {
    cost.keysMs += await processorMs(async () => void boxes.set(peer, await member.share(keys)));
    cost.sent += (keys[0]?.length ?? 0) + bytesOf(boxes.get(peer)?.values() ?? []);
    cost.received += bytesOf(keys);
  }
  const masked = new Map<PeerId, Uint32Array>();
  const staying = members.filter(({ peer }) => !gone.has(peer));
  for (const { peer, member, input, cost } of staying) {
    const shares = new Map(
      [...boxes].flatMap(([from, sealed]) => {
        const box = sealed.get(peer);
        return box === undefined ? [] : [[from, box] as const];
      }),
    );
    cost.received += bytesOf(shares.values());
    cost.maskMs = await processorMs(() => void masked.set(peer, member.mask(input, shares)));
    cost.sent += terms.size * 4;
  }
  const confirmations: Uint8Array[] = [];
  const included = [...masked.keys()];
  for (const { member, cost } of staying)
    cost.endMs += await processorMs(() => void confirmations.push(member.confirm(included)));
  const unmaskings = new Map<PeerId, Uint8Array>();
  for (const { peer, member, cost } of staying) {
    cost.endMs += await processorMs(() => void unmaskings.set(peer, member.unmask(confirmations)));
    cost.received += bytesOf(confirmations) + bytesOf(included.map((name) => new TextEncoder().encode(name)));
    cost.sent += (confirmations[0]?.length ?? 0) + (unmaskings.get(peer)?.length ?? 0);
  }
  const parts = { keys, shared: terms.members, masked, unmaskings, terms };
  return { costs: staying.map(({ cost }) => cost), parts };
}
