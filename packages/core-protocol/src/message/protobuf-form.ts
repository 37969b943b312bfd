import { publicKeyFromPeerId, peerIdFromPublicKey } from '../identity/peer-id.ts';
import { signedBytes } from '../identity/signed.ts';
import { PeerAiError } from '../errors.ts';
import { bytes, message, oneOf, optional, string, uint32, uint53 } from '../wire/index.ts';
import { aeadNames, checkHeader, checkVersion, type Form, type Header } from './message.ts';

const tag = 'peerai/message/1/protobuf';
const envelope = message({ body: bytes(1), signature: bytes(2) });
/** Read first and alone: another version may have other fields. */
const versionOnly = message({ version: uint32(1) });
const fields = {
  version: uint32(1),
  kind: string(2),
  sender: bytes(3),
  recipient: bytes(4),
  session: optional(bytes(5)),
  sequence: uint53(6),
  timestampMs: uint53(7),
  nonce: bytes(8),
  aead: optional(oneOf(9, aeadNames)),
};
const headerCodec = message(fields);
const bodyCodec = message({ ...fields, content: bytes(10) });

const write = ({ version, kind, sender, recipient, session, sequence, timestampMs, nonce, aead }: Header) => ({
  version,
  kind,
  sender: publicKeyFromPeerId(sender),
  recipient: publicKeyFromPeerId(recipient),
  session,
  sequence,
  timestampMs,
  nonce,
  aead,
});

/** Protobuf: what is signed is the body's bytes as they travel, so nothing needs to be written again to be checked. */
export const protobufForm: Form = {
  bind: (header) => signedBytes(tag, headerCodec.encode(write(header))),
  write(header, content, sign) {
    const body = bodyCodec.encode({ ...write(header), content });
    return envelope.encode({ body, signature: sign(signedBytes(tag, body)) });
  },
  read(given) {
    const { body, signature } = envelope.decode(given);
    checkVersion(versionOnly.decode(body).version);
    const { content, sender, recipient, session, aead, ...rest } = bodyCodec.decode(body);
    const header = checkHeader({
      ...rest,
      sender: peerOf(sender),
      recipient: peerOf(recipient),
      ...(session === undefined ? {} : { session }),
      ...(aead === undefined ? {} : { aead }),
    });
    return { header, content, signature, signed: signedBytes(tag, body) };
  },
};

function peerOf(key: Uint8Array) {
  if (key.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'message: a peer is 32 bytes of key');
  return peerIdFromPublicKey(key);
}
