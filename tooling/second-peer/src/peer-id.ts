import { Refusal } from './refusal.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
// libp2p: an identity multihash (0x00, length 36) of the protobuf public key (type 1 = Ed25519, 32 bytes).
const HEAD = Buffer.from('002408011220', 'hex');

/** The peer id of an Ed25519 key: base58 (Bitcoin's alphabet) of 38 bytes. */
export function peerIdOf(publicKey: Uint8Array): string {
  // The first byte of the head is zero, and base58 writes a leading zero byte as '1'.
  let rest = BigInt(`0x${Buffer.concat([HEAD, publicKey]).toString('hex')}`);
  let text = '';
  while (rest > 0n) {
    text = (ALPHABET[Number(rest % 58n)] ?? '') + text;
    rest /= 58n;
  }
  return `1${text}`;
}

/** The 32-byte key of a peer id. Throws INVALID_FORMAT for anything that is not the id of an Ed25519 key. */
export function keyOfPeerId(id: string): Buffer {
  let number = 0n;
  for (const character of id.slice(0, 60)) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new Refusal('INVALID_FORMAT', 'this is no peer id');
    number = number * 58n + BigInt(digit);
  }
  const hex = number.toString(16);
  const key = Buffer.from(hex.padStart(76, '0'), 'hex').subarray(6);
  if (key.length !== 32 || peerIdOf(key) !== id) {
    throw new Refusal('INVALID_FORMAT', 'this is no peer id of an Ed25519 key');
  }
  return key;
}
