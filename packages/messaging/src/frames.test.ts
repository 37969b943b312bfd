import { callMethod, type Network, type Opened, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { pcpLimits, writeFrame } from '@peerai/core-protocol/pcp';
import { ManualClock } from '@peerai/core-protocol/testing';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type MessageWorld, messageWorld, place } from '../test/world.ts';
import { takeFrame } from './inbox/take-frame.ts';
import { sealLetter } from './letter.ts';
import { limits } from './limits.ts';
import { deliverFrameMethod } from './protocol.ts';

const text = (to: PeerId, payload: unknown) => ({ to, kind: 'text', payload });
const words = (bytes: number): string => 'words and words '.repeat(Math.ceil(bytes / 16)).slice(0, bytes);

interface Sent {
  readonly protocol: string;
  readonly bytes: number;
}
/** Writes down each message that is sent over this network; `refuses` names a protocol that nobody answers. */
const watched =
  (sent: Sent[], refuses?: string) =>
  (network: Network): Network => ({
    self: network.self,
    addresses: () => network.addresses(),
    async open(peer, protocol, options) {
      if (protocol.id === refuses) throw new PeerAiError('REFUSED', 'nobody answers that');
      const channel = await network.open(peer, protocol, options);
      const send = channel.send.bind(channel);
      channel.send = async (bytes) => {
        sent.push({ protocol: protocol.id, bytes: bytes.length });
        await send(bytes);
      };
      return channel;
    },
    answer: (protocol, handler) => network.answer(protocol, handler),
    links: (signal) => network.links(signal),
    disconnect: (peer) => network.disconnect(peer),
  });

interface Scene {
  readonly here: ReturnType<typeof place>;
  readonly a: MessageWorld;
  readonly b: MessageWorld;
  readonly sent: Sent[];
}
async function scene(
  options: { readonly hasFrames?: boolean; readonly refuses?: string } = {},
  handle?: (message: Opened, signal: AbortSignal) => Promise<void>,
): Promise<Scene> {
  const { hasFrames = true, refuses } = options;
  const here = place();
  const sent: Sent[] = [];
  const a = await messageWorld(1, here, { hasFrames: () => hasFrames, over: watched(sent, refuses) });
  const b = await messageWorld(2, here, handle === undefined ? {} : { handle });
  return { here, a, b, sent };
}
/** All of them wait before the first leaves. */
async function queue({ here, a, b }: Scene, payloads: readonly unknown[]): Promise<void> {
  here.networks.cut(a.identity.peer, b.identity.peer);
  for (const payload of payloads) await a.messenger.send(text(b.identity.peer, payload));
  await here.clock.advance(0);
  here.networks.heal(a.identity.peer, b.identity.peer);
  await here.clock.advance(72_000);
}

test('Small letters that wait go ten in a frame, in order; without a word of the other side each goes alone', async () => {
  const count = pcpLimits.batchMessagesMax + 2;
  const payloads = Array.from({ length: count }, (_, at) => `letter ${at}`);
  const at = await scene();
  await queue(at, payloads);
  expect(await at.b.texts()).toEqual(payloads.map((one) => JSON.stringify(one)));
  expect(at.sent.map(({ protocol }) => protocol)).toEqual(['/peerai/message/2', '/peerai/message/2']);
  expect(at.a.outcomes.map(({ state }) => state)).toEqual(payloads.map(() => 'delivered'));
  const alone = await scene({ hasFrames: false });
  await queue(alone, payloads);
  expect(await alone.b.texts()).toEqual(await at.b.texts());
  expect(alone.sent.map(({ protocol }) => protocol)).toEqual(payloads.map(() => '/peerai/message/1'));
});

test('A letter above the limit goes alone and compressed, one of exactly the limit together and as it is', async () => {
  const at = await scene();
  // Two characters of JSON around the text.
  const most = words(pcpLimits.compressAboveBytes - 2);
  const larger = words(pcpLimits.compressAboveBytes - 1);
  await queue(at, [most, most, larger, 'x']);
  expect(await at.b.texts()).toEqual([most, most, larger, 'x'].map((one) => JSON.stringify(one)));
  const [both, one, last] = at.sent;
  expect(at.sent.map(({ protocol }) => protocol.slice(-1))).toEqual(['2', '2', '1']);
  expect(both?.bytes).toBeGreaterThan(2 * most.length);
  expect(one?.bytes).toBeLessThan(larger.length);
  expect(last?.bytes).toBeLessThan(1_000);
});

test('A peer that takes no frames after all gets its letters one by one', async () => {
  const at = await scene({ refuses: '/peerai/message/2' });
  await queue(at, ['a', words(5_000), 'b', 'c']);
  expect(await at.b.texts()).toEqual(['a', words(5_000), 'b', 'c'].map((one) => JSON.stringify(one)));
  expect(new Set(at.sent.map(({ protocol }) => protocol))).toEqual(new Set(['/peerai/message/1']));
});

test('One that is refused takes no other with it; behind one that is taken later nothing is taken', async () => {
  let isBroken = true;
  const seen: unknown[] = [];
  const at = await scene({}, async ({ payload }) => {
    seen.push(payload);
    if (payload === 'refuse me') throw new PeerAiError('REFUSED', 'no');
    if (payload === 'not now' && isBroken) throw new Error('broken');
  });
  await queue(at, ['a', 'refuse me', 'b', 'not now', 'c', 'd']);
  expect(await at.b.texts()).toEqual(['"a"', '"b"']);
  expect(seen.slice(0, 4)).toEqual(['a', 'refuse me', 'b', 'not now']);
  expect(seen.slice(4).every((one) => one === 'not now')).toBe(true);
  expect(at.a.outcomes.map(({ state, code }) => [state, code])).toEqual([
    ['delivered', undefined],
    ['refused', 'REFUSED'],
    ['delivered', undefined],
  ]);
  expect(await at.a.messenger.pending()).toEqual([{ to: at.b.identity.peer, code: 'HANDLER_FAILED' }]);
  isBroken = false;
  await at.here.clock.advance(72_000);
  expect(await at.b.texts()).toEqual(['a', 'b', 'not now', 'c', 'd'].map((one) => JSON.stringify(one)));
});

test('A bomb, a frame of nothing and one of too many letters are refused, and nothing of them is taken', async () => {
  const { here, a, b } = await scene();
  const ask = (frame: Uint8Array) =>
    here.clock.until(
      callMethod(a, b.identity.peer, deliverFrameMethod, { frame }, { signal: new AbortController().signal }),
    );
  const bomb = deflateRawSync(new Uint8Array(50_000_000));
  // Fields 2 and 3: what was deflated, and a size that fits.
  const field = (bytes: Uint8Array): number[] => {
    const length: number[] = [];
    for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
      length.push(rest >= 128 ? (rest % 128) + 128 : rest);
      if (rest < 128) return [0x12, ...length, ...bytes];
    }
  };
  await expect(ask(Uint8Array.from([...field(bomb), 0x18, 0xe8, 0x07]))).rejects.toMatchObject({
    code: 'INVALID_FORMAT',
  });
  await expect(ask(new Uint8Array())).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  const letter = {
    id: 'ab'.repeat(16),
    kind: 'text',
    content: '1',
    sentMs: here.clock.nowMs(),
    expiresMs: here.clock.nowMs() + 9,
  };
  const sealed = (): Uint8Array => sealLetter({ ...a, crypto: a.crypto }, b.identity.peer, letter);
  const { answers } = await ask(writeFrame([new Uint8Array([1]), sealed(), sealed()], { compress: false }));
  expect(answers.map(({ outcome }) => outcome)).toEqual(['refused', 'taken', 'taken']);
  expect(await b.texts()).toEqual(['1']);
  const eleven = Array.from({ length: pcpLimits.batchMessagesMax + 1 }, sealed);
  expect(() => writeFrame(eleven, { compress: false })).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
});

test('A letter of a frame is begun until the time for that is over, and not after it', async () => {
  const clock = new ManualClock();
  const begun = async (tookMs: number): Promise<number> => {
    const taken: number[] = [];
    const inbox = {
      take: async () => {
        taken.push(1);
        await clock.advance(taken.length === 1 ? tookMs : 0);
        return { outcome: 'taken', code: undefined } as const;
      },
    };
    const frame = writeFrame([new Uint8Array([1]), new Uint8Array([2])], { compress: false });
    const parts = { from: 'peer' as PeerId, frame, onError: () => undefined };
    const answers = await takeFrame(inbox, clock, parts, new AbortController().signal);
    expect(answers.map(({ code }) => code)).toEqual(
      taken.length === 2 ? [undefined, undefined] : [undefined, 'TIMEOUT'],
    );
    return taken.length;
  };
  expect(await begun(limits.frameBeginMsMax)).toBe(2);
  expect(await begun(limits.frameBeginMsMax + 1)).toBe(1);
});
