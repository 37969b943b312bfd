import { fromBase64Url, PeerAiError, toBase64Url } from '@peerai/core-protocol';

/** RFC 4648 section 4 with padding, the form of signed notes. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** One text a value: what would not come out the same again is refused. Throws INVALID_FORMAT. */
export function fromBase64(text: string): Uint8Array {
  try {
    const bytes = fromBase64Url(
      text
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replace(/={1,2}$/u, ''),
    );
    if (toBase64(bytes) === text) return bytes;
  } catch {
    // Told below, the same for every kind of damage.
  }
  throw new PeerAiError('INVALID_FORMAT', 'not base64');
}
