import { type Identity, verifies } from './identity.ts';
import type { Letter } from './letter.ts';
import { bytesOf, type Field, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** What a peer says of itself (docs/protocol/messages.md, mailbox.md). */
export interface PeerRecord {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly sequence: number;
  readonly expiresMs: number;
  readonly letterKey: Buffer;
  readonly mailboxes: readonly string[];
}

/** A body under a tag: `{body (1), signer (2), signature (3)}`. */
function sign(identity: Identity, tag: string, fields: readonly Field[]): Buffer {
  const body = writeFields(fields);
  return writeFields([
    [1, body],
    [2, identity.publicKey],
    [3, identity.sign(Buffer.concat([Buffer.from(`${tag}\0`), body]))],
  ]);
}

function opened(tag: string, bytes: Buffer): { readonly signer: Buffer; readonly fields: Field[] } {
  const envelope = readFields(bytes);
  const body = bytesOf(envelope, 1);
  const signer = bytesOf(envelope, 2);
  if (!verifies(signer, Buffer.concat([Buffer.from(`${tag}\0`), body]), bytesOf(envelope, 3))) {
    throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
  }
  return { signer, fields: readFields(body) };
}

export function writeRecord(identity: Identity, record: PeerRecord): Buffer {
  return sign(identity, 'peerai/record/1', [
    [1, 1n],
    ...record.addresses.map((address) => [2, Buffer.from(address)] as const),
    [3, Buffer.from(record.name)],
    [4, BigInt(record.sequence)],
    [5, BigInt(record.expiresMs)],
    [8, Buffer.from('second-peer')],
    [9, record.letterKey],
    ...record.mailboxes.map((address) => [10, Buffer.from(address)] as const),
  ]);
}

/** Throws INVALID_SIGNATURE. */
export function readRecord(bytes: Buffer): PeerRecord & { readonly signer: Buffer } {
  const { signer, fields } = opened('peerai/record/1', bytes);
  return {
    signer,
    name: textsOf(fields, 3)[0] ?? '',
    addresses: textsOf(fields, 2),
    sequence: Number(numberOf(fields, 4)),
    expiresMs: Number(numberOf(fields, 5)),
    letterKey: bytesOf(fields, 9),
    mailboxes: textsOf(fields, 10),
  };
}

/** The content of a sealed letter; the recipient is a peer id. */
export function writeSealedLetter(identity: Identity, recipient: string, kind: string, letter: Letter): Buffer {
  const signed = sign(identity, 'peerai/letter/1', [
    [1, 1n],
    [2, Buffer.from(recipient)],
    [3, Buffer.from(letter.id)],
    [4, Buffer.from(kind)],
    [5, Buffer.from(JSON.stringify(letter.content))],
    [6, BigInt(letter.sentMs)],
    [7, BigInt(letter.expiresMs)],
  ]);
  return writeFields([[1, signed]]);
}

/** What the receiver of a letter says of it. Throws INVALID_SIGNATURE. */
export function readReceipt(content: Buffer): {
  readonly signer: Buffer;
  readonly recipient: string;
  readonly id: string;
  readonly outcome: string;
} {
  const { signer, fields } = opened('peerai/letter-receipt/1', bytesOf(readFields(content), 2));
  const outcome = numberOf(fields, 4) === 1n ? 'taken' : 'refused';
  return { signer, recipient: textsOf(fields, 2)[0] ?? '', id: textsOf(fields, 3)[0] ?? '', outcome };
}

/** The requests of `/peerai/mailbox/1`. */
export const mailbox = {
  register: (): Buffer => writeFields([[1, 1n]]),
  /** `to` is a peer id. */
  leave: (to: string, letter: Buffer): Buffer =>
    writeFields([
      [1, 2n],
      [2, Buffer.from(to)],
      [3, letter],
    ]),
  /** Removes what lies at `done` and asks for the first letter behind `after`. */
  next: (after: bigint, done: readonly bigint[]): Buffer =>
    writeFields([[1, 4n], [4, after], ...done.map((place) => [5, place] as const)]),
};
