import {
  callMethod,
  type Codec,
  createIdentity,
  type Method,
  nobleCrypto,
  type Protocol,
  serveMethod,
} from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { ledgerLimits } from '@peerai/ledger';
import { agreementLimits, encodeGenesis } from '@peerai/ledger/agreement';
import { encodeStatement, governanceLimits, logHeadCodec } from '@peerai/ledger/governance';
import { evmLimits } from '@peerai/ledger/evm';
import { leaseLimits } from '@peerai/ledger/lease';
import { marketLimits } from '@peerai/ledger/market';
import { reputationLimits } from '@peerai/ledger/reputation';
import { copyLimits } from '@peerai/ledger/sync';
import { witnessLimits } from '@peerai/ledger/witness';
import { expect, test } from 'vitest';
import {
  agreementProtocol,
  governanceMethod,
  headsProtocol,
  lineFrame,
  plainQuestion as plainGovernance,
} from './governance/governance-protocol.ts';
import { governanceRoomLimits } from './governance/limits.ts';
import { keyMethod } from './keys/key-protocol.ts';
import { booksLimits } from './ledger/limits.ts';
import { logMethod, plainLogAnswer, plainLogQuestion } from './ledger/log-protocol.ts';
import { receiptsMethod } from './ledger/receipts-protocol.ts';
import { heldMethod } from './lending/elsewhere.ts';
import { leaseMethod, nodesMethod, plainAnswer, plainQuestion } from './lending/lending-protocol.ts';
import { lendingLimits } from './lending/limits.ts';
import { limits } from './limits.ts';
import { helloMethod } from './links/hello-protocol.ts';
import { peerMarketLimits } from './market/limits.ts';
import { marketMethod } from './market/market-protocol.ts';
import { offeredMethod } from './models/run-wire.ts';
import { ownMethod } from './own/own-protocol.ts';
import { standingLimits } from './reputation/limits.ts';
import { reputationMethod } from './reputation/reputation-protocol.ts';
import { settlementLimits } from './settlement/limits.ts';
import { settlementMethod } from './settlement/settlement-protocol.ts';
import { memoryMethod } from './memory/memory-protocol.ts';
import { shareMethod } from './share/share-protocol.ts';
import { capabilitiesMethod, pingMethod } from './status/status-protocol.ts';
import { storageLimits } from './storage/limits.ts';
import { plainStorageAnswer, plainStorageQuestion, storageMethod } from './storage/storage-protocol.ts';
import { live } from './testing/steps.ts';
import { linkMethod } from './training/link-protocol.ts';
import { offersMethod } from './training/training-protocol.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(6);
const identity = () => createIdentity(nobleCrypto, random.bytes(32));
const bytes = (length: number) => new Uint8Array(length).fill(255);
const toBase64 = (value: Uint8Array) => Buffer.from(value).toString('base64');
const times = <T>(count: number, make: (place: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

const blank = (count: number) => times(count, () => bytes(1));
function reread<T>(codec: Codec<T>, parts: Partial<T>): T {
  return codec.decode(codec.encode(parts as T));
}

/** The two ends of a link of their own. */
function two() {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random });
  const [one, other] = [identity(), identity()];
  const [here, there] = [one, other].map(({ peer }) => networks.join(peer, { isGranted: () => true }));
  if (here === undefined || there === undefined) throw new Error('two joined');
  return { clock, here, there, other: other.peer };
}
async function takesMessagesOf(protocol: Protocol, bytesMax: number): Promise<void> {
  const { here, there, other } = two();
  there.answer(protocol, async (channel) => {
    for await (const message of channel) expect(message).toHaveLength(bytesMax);
  });
  const channel = await here.open(other, protocol, { signal: live() });
  await channel.send(new Uint8Array(bytesMax));
  await expect(channel.send(new Uint8Array(bytesMax + 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
}

/** A question that nobody answers is given up after so long, and not before. */
async function isGivenUp<Q, A>(method: Method<Q, A>, question: Q, ms: number): Promise<void> {
  const { clock, here, there, other } = two();
  using _ = serveMethod(there, method, () => new Promise<never>(() => undefined));
  let ended: unknown;
  callMethod({ network: here, clock }, other, method, question, { signal: live() }).catch((error: unknown) => {
    ended = error;
  });
  await clock.advance(ms - 1);
  expect(ended).toBeUndefined();
  await clock.advance(1);
  expect(ended).toEqual(code('TIMEOUT'));
}
/** No answer comes for so long; messages are as long as they may be and no longer; and the fullest that every other limit allows go through. */
function question<Q, A>(
  method: Method<Q, A>,
  { ms, bytesMax }: { readonly ms: number; readonly bytesMax: number },
  asked: readonly [Q, ...Q[]],
  answered: readonly [A, ...A[]],
) {
  const isBounded = async (): Promise<void> => {
    await isGivenUp(method, asked[0], ms);
    const { clock, here, there, other } = two();
    const ask = (one: Q) => callMethod({ network: here, clock }, other, method, one, { signal: live() });
    await takesMessagesOf(method.protocol, bytesMax);
    for (let place = 0; place < Math.max(asked.length, answered.length); place += 1) {
      const [fullest, answer] = [asked[place] ?? asked[0], answered[place] ?? answered[0]];
      let heard: Uint8Array | undefined;
      using _ = serveMethod(there, method, async (one) => {
        heard = method.request.encode(one);
        return answer;
      });
      const got = method.response.encode(await clock.until(ask(fullest)));
      expect(Buffer.compare(heard ?? bytes(0), method.request.encode(fullest))).toBe(0);
      expect(Buffer.compare(got, method.response.encode(answer))).toBe(0);
    }
  };
  return { id: method.protocol.id, isBounded };
}
/** Messages that nobody answers, to the fullest of them. */
function line(protocol: Protocol, bytesMax: number, messageBytesMax: number) {
  const isBounded = async (): Promise<void> => {
    await takesMessagesOf(protocol, bytesMax);
    const fullest = lineFrame.encode({ group: bytes(32), message: bytes(messageBytesMax) });
    expect(fullest.length).toBeLessThanOrEqual(bytesMax);
  };
  return { id: protocol.id, isBounded };
}

const model = 'm'.repeat(marketLimits.subjectBytesMax);
const document = bytes(marketLimits.documentBytesMax);
const offer = { model, unitPrice: marketLimits.unitMicroMax, tokensMax: marketLimits.tokensMax, minutesMax: 43_200 };
const sealed = bytes(storageLimits.chunkBytes + storageLimits.sealBytes);
const leafPath = times(Math.ceil(Math.log2(sealed.length / marketLimits.storageLeafBytes)), () => bytes(32));
const leaf = { chunk: bytes(32), index: 2 ** 32 - 1, leaf: bytes(marketLimits.storageLeafBytes), path: leafPath };
const state = bytes(lendingLimits.stateBytesMax);
const values = bytes(lendingLimits.runValuesMax * 8);
const receipt = bytes(leaseLimits.receiptBytesMax);
const nodes = { nodes: 65_536, free: 65_536, nodeHour: leaseLimits.nodeHourMicroMax, minutesMax: 1_440 };
const measured = { load: 1, processor: 1, memory: 1, agoMs: Number.MAX_SAFE_INTEGER, windowMs: 12_000 };
const genesis = encodeGenesis({
  version: 1,
  name: 'g'.repeat(agreementLimits.groupNameBytesMax),
  members: times(agreementLimits.membersMax, () => identity().peer),
  nonce: bytes(agreementLimits.nonceBytes),
});
/** A log's head with its writer's signature alone, of the most entries there are. */
const note = `${identity().peer}\n${2n ** 63n}\n${toBase64(bytes(32))}\n\n— ${identity().peer} ${toBase64(bytes(4 + 64))}\n`;
const logHeadWord = logHeadCodec.encode({
  origin: identity().peer,
  from: governanceLimits.logEntriesMax,
  size: governanceLimits.logEntriesMax,
  root: bytes(32),
  head: bytes(64),
  path: times(ledgerLimits.pathHashesMax, () => bytes(32)),
  signature: bytes(64),
});
const { body: ballot } = encodeStatement({
  timeMs: Number.MAX_SAFE_INTEGER,
  said: {
    type: 'ballot',
    on: 'ab'.repeat(32),
    ballot: {
      on: 'ab'.repeat(32),
      choice: 'abstain',
      token: bytes(governanceLimits.ballotTokenBytes),
      prefix: bytes(governanceLimits.ballotTokenBytes),
      signature: bytes(governanceLimits.ballotSignatureBytes),
      seal: bytes(64),
    },
  },
});

test.each([
  question(
    logMethod,
    { ms: booksLimits.callMs, bytesMax: booksLimits.messageBytesMax },
    [
      { ...plainLogQuestion, kind: 'witness', body: bytes(witnessLimits.requestBytesMax) },
      { ...plainLogQuestion, kind: 'evidence', body: bytes(witnessLimits.evidenceBytesMax) },
    ],
    [
      {
        ...plainLogAnswer,
        note,
        known: 2n ** 63n,
        notes: times(booksLimits.headsMax, () => note),
        evidence: times(booksLimits.evidenceMax, () => bytes(witnessLimits.evidenceBytesMax)),
      },
      {
        ...plainLogAnswer,
        entries: times(copyLimits.rangeEntriesMax, () => bytes(copyLimits.rangeBytesMax / copyLimits.rangeEntriesMax)),
        path: times(ledgerLimits.pathHashesMax, () => bytes(32)),
      },
      { ...plainLogAnswer, entries: [bytes(ledgerLimits.entryBytesMax)], path: [] },
    ],
  ),
  question(
    marketMethod,
    { ms: peerMarketLimits.callMs, bytesMax: peerMarketLimits.messageBytesMax },
    [{ kind: 'lease', document }],
    [
      { offers: times(peerMarketLimits.offersMax, () => offer), document: undefined },
      { offers: [], document },
    ],
  ),
  question(
    storageMethod,
    { ms: storageLimits.callMs, bytesMax: storageLimits.messageBytesMax },
    [
      { ...plainStorageQuestion, kind: 'put', lease: bytes(32), chunk: bytes(32), data: sealed },
      { ...plainStorageQuestion, kind: 'challenge', lease: bytes(32), nonce: bytes(32), document },
    ],
    [
      { ...plainStorageAnswer, data: sealed },
      { ...plainStorageAnswer, document, leaves: times(storageLimits.leavesMax, () => leaf) },
    ],
  ),
  question(
    settlementMethod,
    { ms: settlementLimits.callMs, bytesMax: settlementLimits.messageBytesMax },
    [
      {
        kind: 'key',
        statement: bytes(evmLimits.keyStatementBytesMax),
        receipt: undefined,
        endorsement: undefined,
        lease: undefined,
      },
      {
        kind: 'endorsement',
        statement: undefined,
        receipt: bytes(ledgerLimits.receiptBytesMax),
        endorsement: bytes(evmLimits.endorsementBytesMax),
        lease: bytes(32),
      },
    ],
    [
      {
        statement: bytes(evmLimits.keyStatementBytesMax),
        chainId: Number.MAX_SAFE_INTEGER,
        contract: bytes(20),
        weiPerMicro: evmLimits.weiPerMicroMax,
        n: Number.MAX_SAFE_INTEGER,
      },
    ],
  ),
  question(
    governanceMethod,
    { ms: governanceRoomLimits.callMs, bytesMax: governanceRoomLimits.callBytesMax },
    [
      { ...plainGovernance, kind: 'invite', genesis },
      { ...plainGovernance, kind: 'ballot', group: bytes(32), ballot, hops: 2 ** 32 - 1 },
      { ...plainGovernance, kind: 'log-head', group: bytes(32) },
    ],
    [{ version: 1, logHead: logHeadWord }],
  ),
  question(
    reputationMethod,
    { ms: standingLimits.askMs, bytesMax: standingLimits.messageBytesMax },
    [{ version: 1, subjects: times(standingLimits.subjectsMax, () => bytes(32)) }],
    [{ opinions: times(standingLimits.subjectsMax, () => bytes(reputationLimits.opinionBytesMax)) }],
  ),
  question(
    leaseMethod,
    { ms: lendingLimits.leaseCallMs, bytesMax: lendingLimits.leaseMessageBytesMax },
    [{ ...plainQuestion, kind: 'run', id: bytes(32), n: 1, state, inputs: values, receipt }],
    [
      { ...plainAnswer, outputs: values, receipt, booked: 2 ** 32 - 1 },
      { ...plainAnswer, state, booked: 0 },
    ],
  ),
  question(
    nodesMethod,
    { ms: lendingLimits.nodesCallMs, bytesMax: lendingLimits.nodesMessageBytesMax },
    [{ version: 1 }],
    [{ ...nodes, ...measured }],
  ),
  question(
    heldMethod,
    { ms: lendingLimits.heldCallMs, bytesMax: lendingLimits.heldMessageBytesMax },
    [{ borrower: bytes(38) }],
    [{ leases: times(lendingLimits.toldLeasesMax, () => bytes(leaseLimits.leaseBytesMax)) }],
  ),
  line(agreementProtocol, governanceRoomLimits.lineMessageBytesMax, agreementLimits.messageBytesMax),
  line(headsProtocol, governanceRoomLimits.headsMessageBytesMax, 2 * ledgerLimits.groupMessageBytesMax),
])('$id is bounded in time and bytes, and the fullest that is said over it fits', async ({ isBounded }) => isBounded());

test.each<[string, number, (count: number) => unknown]>([
  ['heads of logs', booksLimits.headsMax, (count) => reread(logMethod.response, { notes: times(count, () => note) })],
  ['proofs of forks', booksLimits.evidenceMax, (count) => reread(logMethod.response, { evidence: blank(count) })],
  ['entries', copyLimits.rangeEntriesMax, (count) => reread(logMethod.response, { entries: blank(count) })],
  ['hashes of a path', ledgerLimits.pathHashesMax, (count) => reread(logMethod.response, { path: blank(count) })],
  [
    'offers',
    peerMarketLimits.offersMax,
    (count) => reread(marketMethod.response, { offers: times(count, () => offer) }),
  ],
  ['leaves', storageLimits.leavesMax, (count) => reread(storageMethod.response, { leaves: times(count, () => leaf) })],
  [
    'subjects',
    standingLimits.subjectsMax,
    (count) => reread(reputationMethod.request, { version: 1, subjects: blank(count) }),
  ],
  ['opinions', standingLimits.subjectsMax, (count) => reread(reputationMethod.response, { opinions: blank(count) })],
  ['leases', lendingLimits.toldLeasesMax, (count) => reread(heldMethod.response, { leases: blank(count) })],
])('of %s one message carries %i and no more', (_, most, read) => {
  expect(() => read(most)).not.toThrow();
  expect(() => read(most + 1)).toThrow(code('INVALID_FORMAT'));
});

/** Whatever is asked: only time counts here. */
const blankly = <Q, A>(method: Method<Q, A>): Method<Q, A> => ({
  ...method,
  request: { encode: () => bytes(1), decode: () => undefined as Q },
});
test.each([
  blankly(helloMethod),
  blankly(keyMethod),
  blankly(receiptsMethod),
  blankly(offeredMethod),
  blankly(ownMethod),
  blankly(pingMethod),
  blankly(memoryMethod),
  blankly(shareMethod),
  blankly(capabilitiesMethod),
] as readonly Method<unknown, unknown>[])('$protocol.id is given up after `questionMs`', async (method) =>
  isGivenUp(method, undefined, limits.questionMs),
);
test.each([blankly(offersMethod), blankly(linkMethod)] as readonly Method<unknown, unknown>[])(
  '$protocol.id is given up after `trainingQuestionMs`',
  async (method) => isGivenUp(method, undefined, limits.trainingQuestionMs),
);
