import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One client's relayed socket, whom it lets in, and the short names of its peers. */
interface Allocation {
  readonly socket: Socket;
  readonly permitted: Set<string>;
  readonly channels: Map<number, Place>;
}
interface Place {
  readonly address: string;
  readonly port: number;
}
interface Message {
  readonly kind: number;
  readonly transaction: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}
export interface TurnOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly credential: string;
}

const realm = 'peerai-test';
const magic = Buffer.from('2112a442', 'hex');
const methods = { allocate: 3, refresh: 4, send: 0x16, data: 0x17, permission: 8, channel: 9 } as const;
const [success, failure] = [0x100, 0x110];
const attribute = {
  username: 0x06,
  integrity: 0x08,
  error: 0x09,
  channel: 0x0c,
  lifetime: 0x0d,
  peer: 0x12,
  data: 0x13,
  realm: 0x14,
  nonce: 0x15,
  relayed: 0x16,
  mapped: 0x20,
} as const;

/** What two peers of a test need of TURN (RFC 8656): IPv4 over UDP, one user, no end of anything. No server for anything else. */
export async function startTurnServer({ host, port, username, credential }: TurnOptions): Promise<void> {
  const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest();
  const nonce = randomBytes(8).toString('hex');
  const clients = new Map<string, Allocation>();
  const server = createSocket('udp4');

  const answer = (to: RemoteInfo, message: Message, kind: number, ...parts: readonly Buffer[]): void => {
    const signed = kind === success ? withIntegrity(message, kind, parts, key) : encode(message, kind, parts);
    server.send(signed, to.port, to.address);
  };

  async function allocate(from: RemoteInfo, message: Message): Promise<void> {
    const socket = createSocket('udp4').bind(0, host);
    await once(socket, 'listening');
    const allocation: Allocation = { socket, permitted: new Set(), channels: new Map() };
    clients.set(nameOf(from), allocation);
    socket.on('message', (bytes, peer) => {
      if (!allocation.permitted.has(peer.address)) return;
      const [channel] = [...allocation.channels].find(([, place]) => nameOf(place) === nameOf(peer)) ?? [];
      server.send(channel === undefined ? dataTo(peer, bytes) : channelData(channel, bytes), from.port, from.address);
    });
    const relayed = part(attribute.relayed, mixed({ address: host, port: socket.address().port }));
    answer(from, message, success, relayed, part(attribute.mapped, mixed(from)), lifetime);
  }

  async function request(from: RemoteInfo, message: Message, bytes: Buffer): Promise<void> {
    const { kind, attributes } = message;
    if (!isSigned(bytes, key)) {
      const why = Buffer.concat([Buffer.from([0, 0, 4, 1]), Buffer.from('Unauthorized')]);
      const named = [part(attribute.realm, Buffer.from(realm)), part(attribute.nonce, Buffer.from(nonce))];
      return answer(from, message, failure, part(attribute.error, why), ...named);
    }
    if (kind === methods.allocate) return allocate(from, message);
    if (kind === methods.refresh) return answer(from, message, success, lifetime);
    const peer = attributes.get(attribute.peer);
    const allocation = clients.get(nameOf(from));
    if (peer === undefined || allocation === undefined) return;
    const place = clear(peer);
    allocation.permitted.add(place.address);
    if (kind === methods.channel)
      allocation.channels.set(attributes.get(attribute.channel)?.readUInt16BE() ?? 0, place);
    answer(from, message, success);
  }

  server.on('message', (bytes, from) => {
    const allocation = clients.get(nameOf(from));
    const pass = (to: Place | undefined, data: Buffer | undefined): void => {
      if (to === undefined || data === undefined || allocation?.permitted.has(to.address) !== true) return;
      // An address inside of a home is nobody's here.
      allocation.socket.send(data, to.port, to.address, () => undefined);
    };
    // The two highest bits tell a channel's data from a message.
    if ((bytes[0] ?? 0) >> 6 === 1)
      return pass(allocation?.channels.get(bytes.readUInt16BE(0)), bytes.subarray(4, 4 + bytes.readUInt16BE(2)));
    const message = decode(bytes);
    const peer = message.attributes.get(attribute.peer);
    if (message.kind === methods.send)
      return pass(peer === undefined ? undefined : clear(peer), message.attributes.get(attribute.data));
    void request(from, message, bytes);
  });
  server.bind(port, host);
  await once(server, 'listening');
}

const nameOf = ({ address, port }: Place): string => `${address}:${port}`;

function part(kind: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(kind, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}
const lifetime = part(attribute.lifetime, Buffer.from([0, 0, 2, 0x58]));

function encode(
  { kind, transaction }: Pick<Message, 'kind' | 'transaction'>,
  more: number,
  parts: readonly Buffer[],
): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(kind | more, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, magic, transaction, body]);
}

/** The length of the message counts the signature already (RFC 8489, 14.5). */
function withIntegrity(message: Message, kind: number, parts: readonly Buffer[], key: Buffer): Buffer {
  const whole = encode(message, kind, [...parts, part(attribute.integrity, Buffer.alloc(20))]);
  createHmac('sha1', key)
    .update(whole.subarray(0, -24))
    .digest()
    .copy(whole, whole.length - 20);
  return whole;
}

function isSigned(bytes: Buffer, key: Buffer): boolean {
  const at = placeOf(bytes, attribute.integrity);
  if (at === undefined) return false;
  const signed = Buffer.from(bytes.subarray(0, at));
  signed.writeUInt16BE(at + 4, 2);
  return createHmac('sha1', key)
    .update(signed)
    .digest()
    .equals(bytes.subarray(at + 4, at + 24));
}

/** Where an attribute begins. */
function placeOf(bytes: Buffer, kind: number): number | undefined {
  for (let at = 20; at + 4 <= bytes.length; at += 4 + Math.ceil(bytes.readUInt16BE(at + 2) / 4) * 4)
    if (bytes.readUInt16BE(at) === kind) return at;
  return undefined;
}

function decode(bytes: Buffer): Message {
  const attributes = new Map<number, Buffer>();
  for (const kind of Object.values(attribute)) {
    const at = placeOf(bytes, kind);
    if (at !== undefined) attributes.set(kind, bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return { kind: bytes.readUInt16BE(0), transaction: Buffer.from(bytes.subarray(8, 20)), attributes };
}

function mixed({ address, port }: Place): Buffer {
  const value = Buffer.alloc(8);
  value[1] = 1;
  value.writeUInt16BE(port ^ magic.readUInt16BE(0), 2);
  for (const [index, byte] of address.split('.').entries()) value[4 + index] = Number(byte) ^ (magic[index] ?? 0);
  return value;
}

function clear(value: Buffer): Place {
  const bytes = [...value.subarray(4, 8)].map((byte, index) => byte ^ (magic[index] ?? 0));
  return { address: bytes.join('.'), port: value.readUInt16BE(2) ^ magic.readUInt16BE(0) };
}

const dataTo = (peer: Place, bytes: Buffer): Buffer =>
  encode({ kind: methods.data, transaction: randomBytes(12) }, 0, [
    part(attribute.peer, mixed(peer)),
    part(attribute.data, bytes),
  ]);

function channelData(channel: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(channel, 0);
  head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}
