import { createIdentity, type Identity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { type HomomorphicSums, loadHomomorphicSums } from '@peerai/nn-engine/homomorphic';
import { maskedTotal, thresholdOf } from '@peerai/nn-engine/privacy';

import { type Bench, median, type Result, resultOf } from '../harness.ts';
import { limits } from '../limits.ts';
import { collected, type Cost, inputsOf, processorMs } from './masked-sum.ts';

const count = 10;
const sizes = [16, 4_096, 65_536];

/** What does a sum of encrypted numbers cost, against a masked sum of the same numbers? */
export const homomorphicSum: Bench = {
  name: 'homomorphic-sum',
  async run({ signal, log }) {
    const sums = await loadHomomorphicSums(crypto);
    const results: Result[] = [];
    for (const size of sizes) {
      signal.throwIfAborted();
      log(`${size} elements`);
      results.push(...(await measured(sums, size, signal)));
    }
    return {
      results,
      notes: [
        'Candidate: the homomorphic sum. Baseline: the masked sum in the same round, all its steps (keys, shares, masking, confirming, unmasking), nobody gone. Processor time in one process.',
        'Adding up: for the homomorphic sum reading ten addends and making the total; for the masked one unmasking. Who opens makes a key and opens one total; a masked sum has nobody who does.',
        'Both sums are compared in each round: they are the same numbers to the bit.',
      ],
    };
  },
};

/** One round of either kind. */
interface Round {
  readonly memberMs: number;
  readonly adderMs: number;
  readonly openerMs: number;
  readonly sent: number;
  readonly received: number;
}

async function measured(sums: HomomorphicSums, size: number, signal: AbortSignal): Promise<readonly Result[]> {
  const random = seededRandom(size);
  const identities = Array.from({ length: count }, () => createIdentity(crypto, random.bytes(32)));
  const inputs = inputsOf(count, size);
  const rounds: { readonly encrypted: Round; readonly masked: Round }[] = [];
  // One round more than is counted: the first warms up.
  for (let turn = 0; turn <= limits.roundsMin; turn += 1) {
    signal.throwIfAborted();
    const masked = await maskedRound(identities, inputs, size, random.bytes(32));
    const encrypted = await encryptedRound(sums, inputs, size);
    if (masked.total.some((word, index) => word !== encrypted.total[index])) throw new Error('the two sums differ');
    if (turn > 0) rounds.push({ masked: masked.round, encrypted: encrypted.round });
  }
  const row = (what: string, unit: string, of: (round: Round) => number): Result =>
    resultOf({
      case: `${size.toLocaleString('en')} elements: ${what}`,
      unit,
      candidate: rounds.map(({ encrypted }) => of(encrypted)),
      baseline: rounds.map(({ masked }) => of(masked)),
    });
  return [
    row('a member', 'ms', ({ memberMs }) => memberMs),
    row('who adds up', 'ms', ({ adderMs }) => adderMs),
    resultOf({
      case: `${size.toLocaleString('en')} elements: who opens`,
      unit: 'ms',
      candidate: rounds.map(({ encrypted }) => encrypted.openerMs),
    }),
    row('a member sends', 'B', ({ sent }) => sent),
    row('a member receives', 'B', ({ received }) => received),
  ];
}

async function maskedRound(
  identities: readonly Identity[],
  inputs: readonly Uint32Array[],
  size: number,
  run: Uint8Array,
): Promise<{ readonly round: Round; readonly total: Uint32Array }> {
  const terms = { run, members: identities.map(({ peer }) => peer), threshold: thresholdOf(count), size };
  const { costs, parts } = await collected(identities, terms, inputs);
  let total = new Uint32Array();
  const adderMs = await processorMs(async () => (total = new Uint32Array(await maskedTotal(crypto, terms, parts))));
  const of = (number: (cost: Cost) => number): number => median(costs.map(number));
  const memberMs = of(({ keysMs, maskMs, endMs }) => keysMs + maskMs + endMs);
  return {
    round: { memberMs, adderMs, openerMs: 0, sent: of(({ sent }) => sent), received: of(({ received }) => received) },
    total,
  };
}

async function encryptedRound(
  sums: HomomorphicSums,
  inputs: readonly Uint32Array[],
  size: number,
): Promise<{ readonly round: Round; readonly total: Uint32Array }> {
  let key = sums.createKey();
  key.close();
  let openerMs = await processorMs(() => void (key = sums.createKey()));
  const addends: Uint8Array[] = [];
  const members: number[] = [];
  for (const input of inputs)
    members.push(await processorMs(() => void addends.push(sums.encrypt(key.publicKey, input))));
  let bytes: Uint8Array = new Uint8Array();
  const adderMs = await processorMs(() => {
    const total = sums.createTotal(key.publicKey, size);
    for (const addend of addends) total.add(addend);
    bytes = total.take();
    total.close();
  });
  let total = new Uint32Array();
  openerMs += await processorMs(() => void (total = new Uint32Array(key.open(bytes).words)));
  const sent = addends[0]?.length ?? 0;
  return {
    round: { memberMs: median(members), adderMs, openerMs, sent, received: key.publicKey.length },
    total,
  };
}
