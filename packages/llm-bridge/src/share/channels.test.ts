import { type Channel, type PeerId, type Protocol, utf8 } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { llamaProtocol } from '../llama-1/serve-llama.ts';
import { embedProtocol } from './embed-protocol.ts';
import { modelProtocol } from './protocol.ts';

const never = new AbortController().signal;
const [guest, other, host] = ['guest', 'other', 'host'] as const as unknown as readonly [PeerId, PeerId, PeerId];

/** Two who ask and one who answers, and holds what is opened. */
function hall(protocol: Protocol) {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  const asking = { guest: networks.join(guest), other: networks.join(other) };
  networks.join(host).answer(protocol, async (channel) => {
    for await (const piece of channel) await channel.send(utf8(`${piece.length}`));
  });
  return (who: keyof typeof asking): Promise<Channel> => asking[who].open(host, protocol, { signal: never });
}

describe.each([
  [modelProtocol, limits.shareChannelsPerPeerMax],
  [embedProtocol, limits.embedChannelsPerPeerMax],
  [llamaProtocol, limits.llamaChannelsPerPeerMax],
] as const)('$id', (protocol, channelsMax) => {
  it('is opened by one peer so often at once, and by another as often', async () => {
    const open = hall(protocol);
    const held = await Promise.all(Array.from({ length: channelsMax }, () => open('guest')));
    await expect(open('guest')).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await open('other');
    await held[0]?.close('STOPPED');
    await open('guest');
  });
});

describe.each([
  [modelProtocol, limits.shareFrameBytesMax],
  [embedProtocol, limits.embedFrameBytesMax],
] as const)('$id', (protocol, frameBytesMax) => {
  it('takes a message of so many bytes, and none that is longer', async () => {
    const channel = await hall(protocol)('guest');
    await channel.send(new Uint8Array(frameBytesMax));
    const { value } = await channel[Symbol.asyncIterator]().next();
    expect(new TextDecoder().decode(value as Uint8Array)).toBe(`${frameBytesMax}`);
    await expect(channel.send(new Uint8Array(frameBytesMax + 1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
