/** Signatures as they cross to a thread: one buffer, the imported keys beside it. Imports only types, so that a thread starts the same from source and from dist. */
import type { KeyObject } from 'node:crypto';

export interface SignedMessage {
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}
export interface SignatureBatch {
  readonly keys: readonly KeyObject[];
  /** For each: place of its key (u32), bytes of its message (u32), signature, message. Big-endian. */
  readonly bytes: ArrayBuffer;
}

const signatureBytes = 64;
const headBytes = 8 + signatureBytes;

/** `keyAt[i]` is the place of `signed[i]`'s key. */
export function packSignatures(signed: readonly SignedMessage[], keyAt: readonly number[]): ArrayBuffer {
  let length = 0;
  for (const { message } of signed) length += headBytes + message.length;
  const whole = new Uint8Array(length);
  const view = new DataView(whole.buffer);
  let offset = 0;
  for (const [index, { signature, message }] of signed.entries()) {
    view.setUint32(offset, keyAt[index] ?? 0);
    view.setUint32(offset + 4, message.length);
    whole.set(signature, offset + 8);
    whole.set(message, offset + headBytes);
    offset += headBytes + message.length;
  }
  return whole.buffer;
}

/** Whether `check` says yes to every one. */
export function everySignature(
  { keys, bytes }: SignatureBatch,
  check: (signature: Uint8Array, message: Uint8Array, key: KeyObject) => boolean,
): boolean {
  const view = new DataView(bytes);
  for (let offset = 0; offset < bytes.byteLength;) {
    const key = keys[view.getUint32(offset)];
    const messageBytes = view.getUint32(offset + 4);
    const signature = new Uint8Array(bytes, offset + 8, signatureBytes);
    const message = new Uint8Array(bytes, offset + headBytes, messageBytes);
    if (key === undefined || !check(signature, message, key)) return false;
    offset += headBytes + messageBytes;
  }
  return true;
}
