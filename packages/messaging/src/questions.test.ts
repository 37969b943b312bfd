import { callMethod, createIdentity, type Method, nobleCrypto, serveMethod } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { fileLimits } from './files/limits.ts';
import { fileMethod } from './files/protocol.ts';
import { limits as groupLimits } from './group/limits.ts';
import { keyPackageMethod } from './group/protocol.ts';
import { limits } from './limits.ts';
import { mailboxLimits } from './mailbox/limits.ts';
import { mailboxMethod, recordMethod } from './mailbox/protocol.ts';
import { deliverFrameMethod, deliverMethod } from './protocol.ts';
import { routeLimits } from './route/limits.ts';
import { layerCodec, pathsMethod, routeMethod } from './route/protocol.ts';
import { letterKeyOf, pad, sealedSizes, sealTo } from './sealed/seal.ts';
import { limits as stateLimits } from './state/limits.ts';
import { exchangeMethod } from './state/protocol.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(8);
const { signal } = new AbortController();

function question<Q, A>(method: Method<Q, A>, asked: Q, bounds: { readonly ms: number; readonly channels: number }) {
  const { ms, channels } = bounds;
  const isBounded = async (): Promise<void> => {
    const clock = new ManualClock();
    const networks = createMemoryNetworks({ clock, random });
    const [one, other] = [createIdentity(nobleCrypto, random.bytes(32)), createIdentity(nobleCrypto, random.bytes(32))];
    const [here, there] = [networks.join(one.peer), networks.join(other.peer, { isGranted: () => true })];
    const silent = serveMethod(there, method, () => new Promise<never>(() => undefined));
    let ended: unknown;
    const answered = callMethod({ network: here, clock }, other.peer, method, asked, { signal }).catch(
      (error: unknown) => (ended = error),
    );
    await clock.advance(ms - 1);
    expect(ended).toBeUndefined();
    await clock.advance(1);
    await answered;
    expect(ended).toEqual(code('TIMEOUT'));
    const open = () => here.open(other.peer, method.protocol, { signal });
    for (let count = 0; count < channels; count += 1) await open();
    await expect(open()).rejects.toEqual(code('LIMIT_REACHED'));
    silent[Symbol.dispose]();
  };
  return { id: method.protocol.id, isBounded };
}

test.each([
  question(
    deliverMethod,
    { letter: new Uint8Array() },
    { ms: limits.attemptMsMax, channels: limits.channelsPerPeerMax },
  ),
  question(
    deliverFrameMethod,
    { frame: new Uint8Array() },
    { ms: limits.attemptMsMax, channels: limits.channelsPerPeerMax },
  ),
  question(keyPackageMethod, {}, { ms: groupLimits.keyPackageMs, channels: groupLimits.channelsPerPeerMax }),
  question(
    fileMethod,
    { transfer: new Uint8Array(16), step: 'cancel' },
    { ms: fileLimits.questionMs, channels: fileLimits.channelsPerPeerMax },
  ),
  question(
    mailboxMethod,
    { verb: 'next', to: undefined, letter: undefined, after: undefined, done: [] },
    { ms: mailboxLimits.questionMsMax, channels: mailboxLimits.channelsPerPeerMax },
  ),
  question(
    recordMethod,
    { record: new Uint8Array() },
    { ms: mailboxLimits.recordMsMax, channels: mailboxLimits.recordChannelsPerPeerMax },
  ),
  question(
    routeMethod,
    { hopsLeft: 0, timeMs: 0, layer: new Uint8Array() },
    { ms: routeLimits.timeMsMax, channels: routeLimits.channelsPerPeerMax },
  ),
  question(pathsMethod, {}, { ms: routeLimits.pathsMs, channels: routeLimits.pathsChannelsPerPeerMax }),
  question(
    exchangeMethod,
    { charter: new Uint8Array(), vector: [], entries: [] },
    { ms: stateLimits.exchangeMs, channels: stateLimits.channelsPerPeerMax },
  ),
])('$id is waited for so long, over so many channels', ({ isBounded }) => isBounded());

test('the largest letter fits a frame of the mailbox, and with a seal for each hop one of a route', async () => {
  const { publicKey } = letterKeyOf(crypto, random.bytes(32));
  const deps = { crypto, random };
  const largest = pad(new Uint8Array((sealedSizes.at(-1) ?? 0) - 2_048));
  const letter = await sealTo(deps, publicKey, largest, 'letter');
  const left = mailboxMethod.request.encode({
    verb: 'leave',
    to: random.bytes(32).join(),
    letter,
    after: undefined,
    done: [],
  });
  expect(left.length).toBeLessThan(mailboxLimits.frameBytesMax);
  let layer = layerCodec.encode({ next: undefined, answerKey: random.bytes(32), inner: largest });
  for (let hop = 1; hop <= routeLimits.hopsMax; hop += 1) {
    const inner = await sealTo(deps, publicKey, layer, 'hop');
    layer =
      hop === routeLimits.hopsMax ? inner : layerCodec.encode({ next: 'p'.repeat(52), answerKey: undefined, inner });
  }
  const packet = routeMethod.request.encode({
    hopsLeft: routeLimits.hopsMax - 1,
    timeMs: routeLimits.timeMsMax,
    layer,
  });
  expect(packet.length).toBeLessThan(routeLimits.frameBytesMax);
});

test.each([
  [deliverMethod.protocol, limits.frameBytesMax],
  [deliverFrameMethod.protocol, limits.frameBytesMax],
  [exchangeMethod.protocol, stateLimits.frameBytesMax],
])('$id takes frames of %i bytes, and not one more', async (protocol, bytesMax) => {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random });
  const [one, other] = [createIdentity(nobleCrypto, random.bytes(32)), createIdentity(nobleCrypto, random.bytes(32))];
  const [here, there] = [networks.join(one.peer), networks.join(other.peer, { isGranted: () => true })];
  const arrived: number[] = [];
  there.answer(protocol, async (channel) => {
    for await (const message of channel) arrived.push(message.length);
  });
  const channel = await here.open(other.peer, protocol, { signal });
  await channel.send(new Uint8Array(bytesMax));
  await expect(channel.send(new Uint8Array(bytesMax + 1))).rejects.toEqual(code('LIMIT_EXCEEDED'));
  expect(arrived).toEqual([bytesMax]);
});
