import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  createTokenBucket,
  type CryptoProvider,
  fromHex,
  type Logger,
  PeerAiError,
  type Random,
  signedBytes,
  toBase64Url,
  utf8,
} from '@peerai/core-protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { createSignalDevices, newsOf, type SignalDevices } from './devices.ts';
import { signalLimits, type SignalLimits } from './limits.ts';
import { type Incoming, readIncoming } from './messages.ts';

export const signalPath = '/signal';
/** What a device's key signs: this tag, a zero byte, then `<nonce>\n<device id>`. */
export const signalTag = 'peerai/signal-register/1';

export interface SignallingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
}

/** The DistributedNN signalling protocol: who is there, and what WebRTC needs to say first. Nothing else is passed on. */
export interface Signalling {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly devices: number;
  /** Safe to call twice. */
  stop(): void;
}

interface Guest {
  readonly socket: WebSocket;
  readonly nonce: string;
  id?: string;
}

export function createSignalling(deps: SignallingDeps, limits: SignalLimits = signalLimits): Signalling {
  const { clock, random, logger } = deps;
  const server = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytesMax, clientTracking: true });
  const devices = createSignalDevices(clock, limits);
  const sockets = new Map<string, Guest>();
  const stopping = new AbortController();

  const say = ({ socket }: Guest, type: string, data: object): void => {
    if (socket.bufferedAmount > limits.waitingBytesMax) return socket.terminate();
    socket.send(JSON.stringify({ type, data }));
  };
  const tellOthers = (id: string, type: string, data: object): void => {
    for (const [other, guest] of sockets) if (other !== id) say(guest, type, data);
  };
  const leave = (guest: Guest, reason: string): void => {
    const { id } = guest;
    if (id === undefined || sockets.get(id) !== guest) return;
    sockets.delete(id);
    devices.remove(id);
    tellOthers(id, 'peer_left', { device_id: id, reason });
    logger.debug('signal-left', { reason, devices: devices.size });
  };
  const rooms: Rooms = { deps, devices, sockets, say, tellOthers };

  function greet(socket: WebSocket): void {
    const guest: Guest = { socket, nonce: toBase64Url(random.bytes(32)) };
    const buckets = {
      signal: createTokenBucket(clock, limits.signals),
      other: createTokenBucket(clock, limits.others),
    };
    let refusals = 0;
    socket.on('error', () => socket.terminate());
    socket.on('close', () => leave(guest, 'closed'));
    socket.on('message', (data, isBinary) => {
      try {
        const text = isBinary ? '' : (data as Buffer).toString('utf8');
        const retryAfterMs = buckets[text.includes('"signaling_data"') ? 'signal' : 'other'].take();
        if (retryAfterMs > 0)
          throw new PeerAiError('RATE_LIMITED', 'too many messages', { retry_after_ms: retryAfterMs });
        answer(rooms, guest, readIncoming(text));
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
        say(guest, 'error', { message: error.message, code: error.code, ...error.details });
        if (error.code === 'RATE_LIMITED' && (refusals += 1) >= limits.refusalsMax)
          socket.close(1008, 'too many messages');
      }
    });
    clock.sleep(limits.registerMs, stopping.signal).then(
      () => guest.id === undefined && socket.close(1008, 'not registered'),
      () => undefined,
    );
    say(guest, 'challenge', { nonce: guest.nonce });
  }

  void (async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(limits.lookMs, stopping.signal);
      for (const id of devices.silent()) {
        const guest = sockets.get(id);
        if (guest === undefined) continue;
        leave(guest, 'timeout');
        guest.socket.close(1001, 'no heartbeat');
      }
    }
  })().catch(() => undefined);

  return {
    accept(request, socket, head) {
      if (stopping.signal.aborted || server.clients.size - devices.size >= limits.newcomersMax) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, greet);
    },
    get devices() {
      return devices.size;
    },
    stop() {
      stopping.abort();
      for (const client of server.clients) client.terminate();
    },
  };
}

interface Rooms {
  readonly deps: SignallingDeps;
  readonly devices: SignalDevices;
  readonly sockets: Map<string, Guest>;
  readonly say: (guest: Guest, type: string, data: object) => void;
  readonly tellOthers: (id: string, type: string, data: object) => void;
}

/** Throws what `error` then says to the device. */
function answer(rooms: Rooms, guest: Guest, message: Incoming): void {
  if (message.type === 'register') return register(rooms, guest, message.data);
  const { devices, say, tellOthers, deps } = rooms;
  const { id } = guest;
  if (id === undefined || rooms.sockets.get(id) !== guest) throw new PeerAiError('UNKNOWN_SENDER', 'register first');
  devices.heard(id);
  switch (message.type) {
    case 'discover': {
      const { peers, total } = devices.find(id, message.data.filters);
      return say(guest, 'discovery_result', { peers, total_found: total, timestamp: deps.clock.nowMs() });
    }
    case 'signal':
      return passOn(rooms, id, message.data);
    case 'announce_capability': {
      const { view, isChanged } = devices.update(id, message.data);
      if (isChanged) tellOthers(id, 'peer_updated', view);
      return;
    }
    case 'heartbeat': {
      const { view, isChanged } = devices.update(id, newsOf(message.data));
      if (isChanged) tellOthers(id, 'peer_updated', view);
      const said = { server_time: deps.clock.nowMs(), peer_count: devices.size, status_updated: isChanged };
      return say(guest, 'heartbeat_ack', said);
    }
  }
}

type Data<Type extends Incoming['type']> = Extract<Incoming, { type: Type }>['data'];

function register({ deps, devices, sockets, say, tellOthers }: Rooms, guest: Guest, data: Data<'register'>): void {
  const { device_id: id, peer_info: peerInfo, public_key: key, signature } = data;
  if (guest.id !== undefined) throw new PeerAiError('INVALID_STATE', 'this connection has a device already');
  const publicKey = fromHex(key);
  const signed = signedBytes(signalTag, utf8(`${guest.nonce}\n${id}`));
  if (!deps.crypto.ed25519.verify(fromHex(signature), signed, publicKey))
    throw new PeerAiError('INVALID_SIGNATURE', 'the key must sign the challenge of this connection and the device id');
  const view = devices.register(id, publicKey, peerInfo);
  // The same key came back before its old connection was known to be dead.
  const old = sockets.get(id);
  guest.id = id;
  sockets.set(id, guest);
  old?.socket.close(1001, 'registered anew');
  deps.logger.debug('signal-registered', { devices: devices.size });
  say(guest, 'registered', { device_id: id, server_time: deps.clock.nowMs(), peer_count: devices.size });
  tellOthers(id, old === undefined ? 'peer_joined' : 'peer_updated', view);
}

function passOn({ sockets, say }: Rooms, id: string, data: Data<'signal'>): void {
  const { target_device_id: target, from_device_id: from, signaling_data } = data;
  if (from !== undefined && from !== id) throw new PeerAiError('WRONG_SENDER', 'a device signals for itself only');
  const to = sockets.get(target);
  if (to === undefined || target === id)
    throw new PeerAiError('NOT_FOUND', 'no such device is here', { target_device_id: target });
  say(to, 'webrtc_signal', { from_device_id: id, signaling_data });
}
