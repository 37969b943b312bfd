import { fromBase64Url, fromHex, toBase64Url, toHex } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { parsePeerId } from '../identity/peer-id.ts';
import { signedBytes } from '../identity/signed.ts';
import { aeadNames, checkHeader, checkVersion, type Form, type Header } from './message.ts';
import { canonicalJson, readStrictJson } from './strict-json.ts';

const tag = 'peerai/message/1/json';
const names = [
  'version',
  'kind',
  'sender',
  'recipient',
  'session',
  'sequence',
  'timestampMs',
  'nonce',
  'aead',
  'payload',
  'signature',
];

const write = ({ session, nonce, ...rest }: Header): Record<string, unknown> => ({
  ...rest,
  ...(session === undefined ? {} : { session: toHex(session) }),
  nonce: toHex(nonce),
});

/** JSON: what is signed is RFC 8785 of everything but the signature; a sealed payload is its base64url text. */
export const jsonForm: Form = {
  bind: (header) => signedBytes(tag, canonicalJson(write(header))),
  write(header, content, sign) {
    const payload = header.aead === undefined ? readStrictJson(content) : toBase64Url(content);
    const message = { ...write(header), payload };
    const signature = toBase64Url(sign(signedBytes(tag, canonicalJson(message))));
    return canonicalJson({ ...message, signature });
  },
  read(given) {
    const { signature, ...message } = asObject(readStrictJson(given));
    if (typeof message['version'] !== 'number') throw wrong('version');
    checkVersion(message['version']);
    const unknown = Object.keys(message).find((name) => !names.includes(name));
    if (unknown !== undefined) throw wrong(unknown.slice(0, 40));
    if (!('payload' in message)) throw wrong('payload');
    const header = readHeader(message);
    const { payload } = message;
    return {
      header,
      content: header.aead === undefined ? canonicalJson(payload) : base64Url('payload', payload),
      signature: base64Url('signature', signature),
      signed: signedBytes(tag, canonicalJson(message)),
    };
  },
};

function readHeader(message: Record<string, unknown>): Header {
  const { version, sequence, timestampMs, session, aead } = message;
  if (typeof sequence !== 'number') throw wrong('sequence');
  if (typeof timestampMs !== 'number') throw wrong('timestampMs');
  const aeadName = aeadNames.find((name) => name === aead);
  if (aead !== undefined && aeadName === undefined) throw wrong('aead');
  return checkHeader({
    version: version as number,
    kind: text('kind', message['kind']),
    sender: parsePeerId(text('sender', message['sender'])),
    recipient: parsePeerId(text('recipient', message['recipient'])),
    ...(session === undefined ? {} : { session: hex('session', session) }),
    sequence,
    timestampMs,
    nonce: hex('nonce', message['nonce']),
    ...(aeadName === undefined ? {} : { aead: aeadName }),
  });
}

const wrong = (field: string): PeerAiError =>
  new PeerAiError('INVALID_FORMAT', `message: ${field} is not as it must be`, { field });

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong('the whole');
}

function text(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw wrong(field);
}

/** Lower case only: one text for one value. */
function hex(field: string, value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(value) || value.length > 64) throw wrong(field);
  return fromHex(value);
}

function base64Url(field: string, value: unknown): Uint8Array {
  try {
    return fromBase64Url(text(field, value));
  } catch {
    throw wrong(field);
  }
}
