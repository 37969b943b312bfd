import { concatBytes, PeerAiError } from '@peerai/core-protocol';

/** All of a file that comes, of so many bytes at most. Throws LIMIT_EXCEEDED. */
export async function gathered(bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > bytesMax) throw new PeerAiError('LIMIT_EXCEEDED', `it has at most ${bytesMax} bytes`, { bytesMax });
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}
