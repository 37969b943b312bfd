import { type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createKeeper } from './keeper.ts';

test('a device that is away is tried again after `redialMsMin`, then after twice as long each time, up to `redialMsMax`', async () => {
  const clock = new ManualClock();
  const peer = 'b' as PeerId;
  const triedMs: number[] = [];
  const network = {
    answer: () => ({ [Symbol.dispose]: () => undefined }),
    open: async () => {
      triedMs.push(clock.elapsedMs());
      throw new PeerAiError('PEER_UNREACHABLE', 'away');
    },
  } as unknown as Network;
  const device = { peer, name: 'b', lease: '00', blocked: false, addresses: [] };
  const keeper = createKeeper({
    network,
    clock,
    logger: silentLogger,
    devices: { get: () => device, list: () => [device] } as never,
    links: { get: () => undefined } as never,
    hello: () => ({ name: 'a', version: '1', addresses: [], nowMs: 0 }) as never,
    met: () => undefined,
  });
  keeper.nudge(peer);
  await clock.advance(0);
  for (let waitMs: number = limits.redialMsMin; ; waitMs = Math.min(2 * waitMs, limits.redialMsMax)) {
    const before = triedMs.length;
    await clock.advance(waitMs - 1);
    expect(triedMs).toHaveLength(before);
    await clock.advance(1);
    expect(triedMs).toHaveLength(before + 1);
    if (waitMs === limits.redialMsMax) break;
  }
  keeper.stop();
});
