import { type Connection, type Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { threadMs } from '@peerai/config/thread-time';
import { PeerAiError, type Random } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type MembershipDeps, proveAsAnswerer, proveAsDialler } from './membership.ts';

const random = seededRandom(31);
const networkKey = random.bytes(limits.networkKeyBytes);
const linkTo = (peer: string): Connection => ({ remotePeer: { toString: () => peer } }) as unknown as Connection;

/** What a proof needs of one end of a stream: ten thousand pairs of libp2p's own take a minute. */
class End extends EventTarget {
  status = 'open';
  remoteWriteStatus = 'writable';
  readonly readBufferLength = 0;
  readonly log = Object.assign(() => undefined, { error: () => undefined });
  hear: (bytes: Uint8Array) => void = () => undefined;
  letGo: () => void = () => undefined;
  push(): void {}
  closeRead(): void {}
  send(bytes: Uint8Array): boolean {
    queueMicrotask(() => this.hear(bytes.slice()));
    return true;
  }
  async close(): Promise<void> {}
  abort(): void {
    this.status = 'aborted';
    queueMicrotask(() => this.letGo());
  }
  end(): void {
    if (this.status !== 'open') return;
    this.status = 'reset';
    this.remoteWriteStatus = 'closed';
    this.dispatchEvent(new StreamCloseEvent(false, new Error('the other side let go')));
  }
}

/** Both halves over one stream; what each side says may be changed on its way. */
async function meet(change: (bytes: Uint8Array, message: number) => Uint8Array): Promise<readonly string[]> {
  const [dialling, answering] = [new End(), new End()];
  let said = 0;
  const join = (from: End, to: End): void => {
    from.hear = (bytes) => void to.dispatchEvent(new StreamMessageEvent(change(bytes, said++)));
    from.letGo = () => to.end();
  };
  join(dialling, answering);
  join(answering, dialling);
  const outcome = (work: Promise<void>): Promise<string> =>
    work.then(
      () => 'proven',
      (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
    );
  // A clock for each: what was proven lets its deadline run.
  const clock = new ManualClock();
  const deps = (self: string): MembershipDeps => ({ clock, random, crypto: nodeCrypto, networkKey, self });
  const both = Promise.all([
    outcome(proveAsDialler(deps('a'), linkTo('b'), dialling as unknown as Stream)),
    outcome(proveAsAnswerer(deps('b'), linkTo('a'), answering as unknown as Stream)),
  ]);
  // Who was told too little waits for the rest until its time is over.
  return clock.until(both);
}

test('who knows the key is believed by both sides', async () => {
  expect(await meet((bytes) => bytes)).toEqual(['proven', 'proven']);
});

test('ten thousand changed proofs: never believed by both, nothing but PRIVATE_NETWORK, none slowly', async () => {
  let slowestMs = 0;
  for (let turn = 0; turn < 10_000; turn += 1) {
    // The last message, the answerer's yes, is no proof: a changed one ends the link at the dialler's side alone.
    const target = turn % 4;
    const startMs = threadMs();
    const outcomes = await meet((bytes, message) => (message === target ? changed(bytes, random) : bytes));
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
    expect(outcomes).toContain('PRIVATE_NETWORK');
    expect(outcomes.filter((one) => one !== 'PRIVATE_NETWORK' && one !== 'proven')).toEqual([]);
  }
  // 50 on a quiet machine.
  expect(slowestMs).toBeLessThan(250);
}, 60_000);

test.each([
  ['dialler', proveAsDialler],
  ['answerer', proveAsAnswerer],
])('a %s that hears nothing has failed at its time, not before', async (_, prove) => {
  const clock = new ManualClock();
  const deps = { clock, random, crypto: nodeCrypto, networkKey, self: 'a' };
  const outcomes: string[] = [];
  prove(deps, linkTo('b'), new End() as unknown as Stream).catch((error: unknown) =>
    outcomes.push(PeerAiError.is(error) ? error.code : String(error)),
  );
  await clock.advance(limits.membershipMs - 1);
  expect(outcomes).toEqual([]);
  await clock.advance(1);
  expect(outcomes).toEqual(['PRIVATE_NETWORK']);
});

/** Never the same bytes, nor more that begin with them: what comes behind a proof is left unread. */
function changed(bytes: Uint8Array, mutations: Random): Uint8Array {
  for (;;) {
    const other = mutated(bytes, mutations);
    if (bytes.some((byte, at) => byte !== other[at])) return other;
  }
}
