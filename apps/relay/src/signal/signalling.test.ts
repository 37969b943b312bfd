import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIdentity, type Identity, nobleCrypto, signedBytes, toHex, utf8 } from '@peerai/core-protocol';
import { ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { signalLimits } from './limits.ts';
import { readIncoming } from './messages.ts';
import { createSignalling, type Signalling, signalTag } from './signalling.ts';

const offer = { type: 'offer', sdp: 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n' };
const random = seededRandom(7);
const aKey = (): Identity => createIdentity(nobleCrypto, random.bytes(32));
interface Said {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let clock: ManualClock;
let server: Server;
let signalling: Signalling;
const open: Device[] = [];
const logged: unknown[] = [];

beforeEach(() => start());
afterEach(async () => {
  for (const device of open.splice(0)) device.socket.close();
  signalling.stop();
  await new Promise((resolve) => server.close(resolve));
});

async function start(limits = signalLimits): Promise<void> {
  clock = new ManualClock();
  const note = (event: string, details?: object): void => void logged.push([event, details]);
  const logger = { ...silentLogger, debug: note, info: note, warn: note, error: note };
  signalling = createSignalling({ clock, random, crypto: nobleCrypto, logger }, limits);
  server = createServer();
  server.on('upgrade', (request, socket, head: Buffer) => signalling.accept(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** A device with its own WebSocket, and everything it was told. */
class Device {
  readonly socket: WebSocket;
  readonly heard: Said[] = [];
  readonly id: string;
  readonly key: Identity;
  constructor(id: string, key: Identity) {
    this.id = id;
    this.key = key;
    this.socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/signal`);
    this.socket.addEventListener('message', ({ data }) => this.heard.push(JSON.parse(String(data)) as Said));
    open.push(this);
  }
  say(type: string, data: object): void {
    this.socket.send(JSON.stringify({ type, data }));
  }
  /** The next message of this kind, taken off what was heard. */
  async next(type: string): Promise<Said['data']> {
    return vi.waitFor(() => {
      const index = this.heard.findIndex((said) => said.type === type);
      expect(this.heard.map((said) => said.type)).toContain(type);
      return this.heard.splice(index, 1)[0]?.data ?? {};
    });
  }
  async claim(id = this.id, key = this.key): Promise<void> {
    const { nonce } = await this.next('challenge');
    const signature = toHex(key.sign(signedBytes(signalTag, utf8(`${String(nonce)}\n${id}`))));
    this.say('register', { device_id: id, peer_info: { name: id }, public_key: toHex(this.key.publicKey), signature });
  }
}

async function here(id: string, key = aKey()): Promise<Device> {
  const device = new Device(id, key);
  await device.claim();
  await device.next('registered');
  return device;
}
const codeOf = async (device: Device): Promise<unknown> => (await device.next('error'))['code'];

describe('Signalling', () => {
  test('brings two devices together: register, discover, signal, announce, heartbeat, and who leaves', async () => {
    const a = await here('a');
    const b = await here('b');
    expect(await a.next('peer_joined')).toMatchObject({ device_id: 'b', peer_info: { name: 'b' } });
    b.say('announce_capability', { capabilities: ['onnx', 'gpu'], specializations: ['vision'], resources: { ram: 8 } });
    expect(await a.next('peer_updated')).toMatchObject({ device_id: 'b', capabilities: ['onnx', 'gpu'] });

    a.say('discover', { filters: { required_capabilities: ['gpu', 'onnx'], specializations: ['audio', 'vision'] } });
    expect(await a.next('discovery_result')).toMatchObject({
      total_found: 1,
      peers: [{ device_id: 'b', resources: { ram: 8 } }],
    });
    a.say('discover', { filters: { required_capabilities: ['gpu', 'tpu'] } });
    expect(await a.next('discovery_result')).toMatchObject({ total_found: 0, peers: [] });
    a.say('discover', {});
    expect(await a.next('discovery_result')).toMatchObject({ total_found: 1 });

    a.say('signal', { target_device_id: 'b', signaling_data: offer });
    expect(await b.next('webrtc_signal')).toEqual({ from_device_id: 'a', signaling_data: offer });
    const candidate = {
      type: 'ice-candidate',
      candidate: { candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '0' },
    };
    b.say('signal', { target_device_id: 'a', signaling_data: candidate });
    expect(await a.next('webrtc_signal')).toEqual({ from_device_id: 'b', signaling_data: candidate });

    b.say('heartbeat', { node_status: 'active', capabilities: ['onnx', 'gpu'] });
    expect(await b.next('heartbeat_ack')).toMatchObject({ peer_count: 2, status_updated: true });
    b.say('heartbeat', { node_status: 'active' });
    expect(await b.next('heartbeat_ack')).toMatchObject({ status_updated: false });
    expect(a.heard.filter(({ type }) => type === 'peer_updated')).toHaveLength(1);

    b.socket.close();
    expect(await a.next('peer_left')).toEqual({ device_id: 'b', reason: 'closed' });
    expect(signalling.devices).toBe(1);
    expect(JSON.stringify(logged)).not.toContain('v=0');
  });

  test('wants the signature of the device’s key over the challenge of this very connection', async () => {
    const thief = new Device('a', aKey());
    await thief.claim('a', aKey());
    expect(await codeOf(thief)).toBe('INVALID_SIGNATURE');
    const other = new Device('a', aKey());
    await other.next('challenge');
    other.say('register', { device_id: 'a' });
    expect(await codeOf(other)).toBe('INVALID_FORMAT');
    other.say('signal', { target_device_id: 'a', signaling_data: offer });
    expect(await codeOf(other)).toBe('UNKNOWN_SENDER');
    expect(signalling.devices).toBe(0);
  });

  test('lets no second key take a device id, for a day after it left too, and its own key come back at once', async () => {
    const key = aKey();
    const first = await here('a', key);
    const second = new Device('a', aKey());
    await second.claim();
    expect(await codeOf(second)).toBe('NAME_TAKEN');
    const again = await here('a', key);
    await vi.waitFor(() => expect(first.socket.readyState).toBe(WebSocket.CLOSED));
    expect(signalling.devices).toBe(1);
    again.socket.close();
    await vi.waitFor(() => expect(signalling.devices).toBe(0));
    const third = new Device('a', aKey());
    await third.claim();
    expect(await codeOf(third)).toBe('NAME_TAKEN');
    await clock.advance(signalLimits.nameMs);
    await here('a', aKey());
  });

  test('lets nobody be called like a peer without its key', async () => {
    const key = aKey();
    const thief = new Device(key.peer, aKey());
    await thief.claim();
    expect(await codeOf(thief)).toBe('NAME_TAKEN');
    await here(key.peer, key);
  });

  test('passes on descriptions and candidates of the device itself, and no data', async () => {
    const a = await here('a');
    const b = await here('b');
    const refused = async (type: string, data: object): Promise<unknown> => {
      a.say(type, data);
      return codeOf(a);
    };
    expect(await refused('data', { target_device_id: 'b', payload: 'secret' })).toBe('UNKNOWN_KIND');
    expect(await refused('toString', {})).toBe('UNKNOWN_KIND');
    expect(
      await refused('signal', { target_device_id: 'b', signaling_data: { type: 'data', payload: 'secret' } }),
    ).toBe('INVALID_FORMAT');
    expect(await refused('signal', { target_device_id: 'b', signaling_data: { ...offer, payload: 'secret' } })).toBe(
      'INVALID_FORMAT',
    );
    expect(await refused('signal', { target_device_id: 'b', signaling_data: { type: 'offer', sdp: 'secret' } })).toBe(
      'INVALID_FORMAT',
    );
    expect(await refused('signal', { target_device_id: 'b', from_device_id: 'b', signaling_data: offer })).toBe(
      'WRONG_SENDER',
    );
    expect(await refused('signal', { target_device_id: 'nobody', signaling_data: offer })).toBe('NOT_FOUND');
    a.socket.send('[]');
    expect(await codeOf(a)).toBe('UNKNOWN_KIND');
    a.socket.send('{');
    expect(await codeOf(a)).toBe('INVALID_FORMAT');
    expect(b.heard).toEqual([]);
  });

  test('takes who says nothing for a minute as gone, and closes who does not register', async () => {
    const a = await here('a');
    const silent = await here('b');
    const mute = new Device('c', aKey());
    await mute.next('challenge');
    await clock.advance(signalLimits.registerMs);
    await vi.waitFor(() => expect(mute.socket.readyState).toBe(WebSocket.CLOSED));
    await clock.advance(signalLimits.lookMs);
    a.say('heartbeat', {});
    await a.next('heartbeat_ack');
    await clock.advance(signalLimits.lookMs);
    expect(await a.next('peer_left')).toEqual({ device_id: 'b', reason: 'timeout' });
    await vi.waitFor(() => expect(silent.socket.readyState).toBe(WebSocket.CLOSED));
    expect(signalling.devices).toBe(1);
  });
});

describe('Its limits', () => {
  const restart = async (limits: Partial<Record<keyof typeof signalLimits, unknown>>): Promise<void> => {
    signalling.stop();
    await new Promise((resolve) => server.close(resolve));
    await start({ ...signalLimits, ...limits } as typeof signalLimits);
  };

  test('devices: the last one is let in, the next is told that there is no place', async () => {
    await restart({ devicesMax: 2 });
    await here('a');
    await here('b');
    const next = new Device('c', aKey());
    await next.claim();
    expect(await codeOf(next)).toBe('LIMIT_REACHED');
    expect(signalling.devices).toBe(2);
  });

  test('connections without a device: the last one is let in, the next is not, and none takes the place of a device', async () => {
    await restart({ devicesMax: 2, newcomersMax: 2 });
    await here('a');
    const [b, mute] = [new Device('b', aKey()), new Device('mute', aKey())];
    for (const one of [b, mute]) await vi.waitFor(() => expect(one.heard).toHaveLength(1));
    const next = new Device('next', aKey());
    await vi.waitFor(() => expect(next.socket.readyState).toBe(WebSocket.CLOSED));
    await b.claim();
    await b.next('registered');
    expect(signalling.devices).toBe(2);
  });

  test('messages: one more than the burst is refused with the time to wait, and who goes on is closed', async () => {
    await restart({ others: { burst: 3, perMinute: 60 }, refusalsMax: 2 });
    const a = await here('a');
    for (const _ of [1, 2]) a.say('heartbeat', {});
    await a.next('heartbeat_ack');
    await a.next('heartbeat_ack');
    a.say('heartbeat', {});
    expect(await a.next('error')).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: 1_000 });
    a.say('heartbeat', {});
    await vi.waitFor(() => expect(a.socket.readyState).toBe(WebSocket.CLOSED));
  });

  test('bytes of a message and of what a device says of itself', async () => {
    const a = await here('a');
    const detail = (bytes: number) => ({ node_status: { x: 'x'.repeat(bytes - '{"x":""}'.length) } });
    a.say('heartbeat', detail(signalLimits.detailBytesMax));
    await a.next('heartbeat_ack');
    a.say('heartbeat', detail(signalLimits.detailBytesMax + 1));
    expect(await codeOf(a)).toBe('INVALID_FORMAT');
    const words = (count: number, length: number) => ({
      capabilities: Array.from({ length: count }, () => 'w'.repeat(length)),
    });
    a.say('heartbeat', words(signalLimits.wordsMax, signalLimits.wordLengthMax));
    await a.next('heartbeat_ack');
    for (const many of [words(signalLimits.wordsMax + 1, 1), words(1, signalLimits.wordLengthMax + 1)]) {
      a.say('heartbeat', many);
      expect(await codeOf(a)).toBe('INVALID_FORMAT');
    }
    a.socket.send('x'.repeat(signalLimits.messageBytesMax));
    expect(await codeOf(a)).toBe('INVALID_FORMAT');
    a.socket.send('x'.repeat(signalLimits.messageBytesMax + 1));
    await vi.waitFor(() => expect(a.socket.readyState).toBe(WebSocket.CLOSED));
  });

  test('devices in one answer, and names kept', async () => {
    await restart({ foundMax: 1, namesMax: 2 });
    const a = await here('a');
    const [b] = [await here('b'), await here('c')];
    a.say('discover', {});
    const found = await a.next('discovery_result');
    expect([found['total_found'], (found['peers'] as unknown[]).length]).toEqual([2, 1]);
    // Of three names the one that left first is not kept any more.
    b.socket.close();
    await vi.waitFor(() => expect(signalling.devices).toBe(2));
    await here('b', aKey());
  });
});

test('a changed message is read as before or refused by name', () => {
  const good = utf8(JSON.stringify({ type: 'signal', data: { target_device_id: 'a', signaling_data: offer } }));
  const codes = new Set<string>();
  for (let round = 0; round < 10_000; round += 1) {
    const changed = good.slice();
    const [place = 0, value = 0] = random.bytes(2);
    changed[(place + round) % changed.length] = value;
    try {
      codes.add(readIncoming(new TextDecoder().decode(changed)).type);
    } catch (error) {
      codes.add((error as { code: string }).code);
    }
  }
  expect(codes).toEqual(new Set(['INVALID_FORMAT', 'UNKNOWN_KIND', 'signal']));
});
