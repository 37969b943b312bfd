import type { Channel, Protocol } from '@peerai/core-protocol';
import type { TransportNode } from '@peerai/transport';
import { describe, expect, test, vi } from 'vitest';
import { addressOf, type Running, stats, testRelays } from '../test/program.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 16,
};
/** The real program; whom it is told to others over WebSocket, on the port that a TLS proxy would pass on. */
const { nodes, relay } = testRelays('limits');
const plain = { listen: [], transports: { tcp: true, websocket: true, webrtc: false } };
const metrics = async ({ ready }: Running): Promise<string> => (await fetch(`${ready.http}/metrics`)).text();
/** Waits until `/stats` says this, and checks that `/metrics` says the same. */
async function counts(running: Running, expected: Record<string, number>, lines: readonly RegExp[]): Promise<void> {
  await vi.waitFor(async () => expect(await stats(running)).toMatchObject(expected), { timeout: 8_000, interval: 50 });
  const text = await metrics(running);
  for (const line of lines) expect(text).toMatch(line);
}

/** Agents that may be reached through the relay, and answer each message with itself. */
async function waiting(at: Running, count: number): Promise<TransportNode[]> {
  const made = await Promise.all(
    Array.from({ length: count }, () => nodes.agent({ ...plain, relays: [addressOf(at)] })),
  );
  for (const { network } of made)
    network.answer(echo, async (channel) => {
      for await (const message of channel) await channel.send(message);
    });
  await vi.waitFor(async () => expect((await stats(at))['reservations']).toBe(count), { timeout: 8_000 });
  return made;
}
const open = (at: Running, from: TransportNode, to: TransportNode): Promise<Channel> =>
  from.network.open(to.network.self, echo, {
    signal: AbortSignal.timeout(8_000),
    addresses: [`${addressOf(at)}/p2p-circuit`],
  });
async function answers(channel: Channel, bytes: number): Promise<boolean> {
  await channel.send(new Uint8Array(bytes));
  const { value } = await channel[Symbol.asyncIterator]().next();
  return (value as Uint8Array | undefined)?.length === bytes;
}

describe('the limits that the operator sets', { timeout: 30_000 }, () => {
  test('--reservations: as many peers may wait, one more has no way in and is told so', async () => {
    const small = await relay('--reservations', '2');
    await waiting(small, 2);
    await counts(small, { reservations: 2, refused_reservations: 0 }, [/^peerai_relay_reservations 2$/m]);
    const warnings: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn: (event: string, facts: unknown) => warnings.push(`${event} ${JSON.stringify(facts)}`),
      error() {},
    };
    const late = await nodes.agent({ ...plain, relays: [addressOf(small)] }, { logger });
    await vi.waitFor(() => expect(warnings.join()).toContain('RESERVATION_REFUSED'), { timeout: 8_000 });
    expect(late.network.addresses().filter((address) => address.includes('/p2p-circuit'))).toEqual([]);
    await vi.waitFor(async () => expect((await stats(small))['refused_reservations']).toBeGreaterThan(0));
    expect((await stats(small))['reservations']).toBe(2);
    expect(await metrics(small)).toMatch(/^peerai_relay_refused_total\{what="reservations"\} [1-9]\d*$/m);
  });

  test('--circuits: one peer has as many relayed connections, and is refused one more by name', async () => {
    const small = await relay('--circuits', '2');
    const [first, second, third] = (await waiting(small, 3)) as [TransportNode, TransportNode, TransportNode];
    const asker = await nodes.agent(plain);
    const [one, two] = [await open(small, asker, first), await open(small, asker, second)];
    expect([one.link.path, two.link.path]).toEqual(['relayed', 'relayed']);
    await counts(small, { relayed: 2, refused_circuits: 0 }, [/^peerai_relay_circuits 2$/m]);
    await expect(open(small, asker, third)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      details: { attempts: [{ step: 'relay', reason: expect.stringContaining('PERMISSION_DENIED') as string }] },
    });
    await counts(small, { relayed: 2, refused_circuits: 1 }, [/^peerai_relay_refused_total\{what="circuits"\} 1$/m]);
    expect(await answers(one, 10)).toBe(true);
    const other = await nodes.agent(plain);
    expect((await open(small, other, third)).link.path).toBe('relayed');
    await asker.network.disconnect(first.network.self);
    await vi.waitFor(async () => expect((await stats(small))['relayed']).toBe(2), { timeout: 8_000 });
    expect((await open(small, asker, third)).link.path).toBe('relayed');
  });

  test('--circuit-bytes: a relayed connection carries them, and ends with what is beyond', async () => {
    const small = await relay('--circuit-bytes', '256KB');
    const [waiter] = (await waiting(small, 1)) as [TransportNode];
    const channel = await open(small, await nodes.agent(plain), waiter);
    // Both ways count, and the handshakes too.
    expect([await answers(channel, 50_000), await answers(channel, 50_000)]).toEqual([true, true]);
    expect((await stats(small))['circuits_cut']).toBe(0);
    await expect(answers(channel, 60_000)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
    await counts(small, { relayed: 0, circuits_cut: 1 }, [/^peerai_relay_circuits_cut_total 1$/m]);
  });

  test('--connections: as many are let in, one more is turned away, and let in when another has gone', async () => {
    const small = await relay('--connections', '2');
    const [one] = await waiting(small, 2);
    await counts(small, { online_peers: 2, refused_connections: 0 }, []);
    const late = await nodes.agent(plain);
    const dial = () =>
      late.network.open(small.ready.peerId as typeof late.network.self, echo, {
        signal: AbortSignal.timeout(8_000),
        addresses: [addressOf(small)],
      });
    await expect(dial()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await vi.waitFor(async () => expect((await stats(small))['refused_connections']).toBeGreaterThan(0));
    expect(await metrics(small)).toMatch(/^peerai_relay_refused_total\{what="connections"\} [1-9]\d*$/m);
    expect((await stats(small))['online_peers']).toBe(2);
    await one?.stop();
    await vi.waitFor(async () => expect((await stats(small))['online_peers']).toBe(1), { timeout: 8_000 });
    // The link stands now: the relay speaks no echo, and says so.
    await expect(dial()).rejects.toMatchObject({ code: 'REFUSED' });
  });
});
