/** Where a STUN server saw a packet come from. */
export interface StunAnswer {
  /** The 12 bytes that the question carried. */
  readonly transaction: Uint8Array;
  readonly host: string;
  readonly port: number;
}

/** RFC 8489, section 5: the second word of every message. */
const magic = 0x21_12_a4_42;
const headBytes = 20;
const request = 0x00_01;
const success = 0x01_01;
const mapped = 0x00_01;
const xorMapped = 0x00_20;

/** A Binding request without attributes: 20 bytes. */
export function encodeStunQuestion(transaction: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, request);
  view.setUint32(4, magic);
  bytes.set(transaction.subarray(0, 12), 8);
  return bytes;
}

/** A Binding success response; `undefined` for anything else. The mapped address of RFC 3489, which some routers rewrite, counts only without the other. */
export function decodeStunAnswer(bytes: Uint8Array): StunAnswer | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes || view.getUint16(0) !== success || view.getUint32(4) !== magic) return undefined;
  const end = headBytes + view.getUint16(2);
  if (end > bytes.length) return undefined;
  let plain: StunAnswer | undefined;
  for (let at = headBytes; at + 4 <= end;) {
    const kind = view.getUint16(at);
    const length = view.getUint16(at + 2);
    if (at + 4 + length > end) return undefined;
    const value = bytes.subarray(at + 4, at + 4 + length);
    if (kind === xorMapped) return readAddress(value, bytes.subarray(4, headBytes), bytes);
    if (kind === mapped) plain = readAddress(value, new Uint8Array(16), bytes);
    // Attributes begin at multiples of four.
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return plain;
}

/** @param mask - 16 bytes that the address was mixed with; its first two were mixed into the port. */
function readAddress(value: Uint8Array, mask: Uint8Array, message: Uint8Array): StunAnswer | undefined {
  const size = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (size === 0 || value.length !== 4 + size) return undefined;
  const clear = value.slice(2);
  for (let index = 0; index < size; index += 1) clear[2 + index] = (value[4 + index] ?? 0) ^ (mask[index] ?? 0);
  const port = (((value[2] ?? 0) ^ (mask[0] ?? 0)) << 8) | ((value[3] ?? 0) ^ (mask[1] ?? 0));
  return { transaction: message.slice(8, headBytes), host: hostText(clear.subarray(2)), port };
}

function hostText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  return groups.join(':');
}
