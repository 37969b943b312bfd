import { PeerAiError, type Tensor } from '@peerai/core-protocol';

/** Rows and more rows of the same kind. Throws SHAPE_MISMATCH. */
export function joinRows(first: Tensor, second: Tensor): Tensor {
  const [count = 0, ...rest] = first.shape;
  const [more = 0, ...other] = second.shape;
  if (first.type !== second.type || rest.join() !== other.join())
    throw new PeerAiError('SHAPE_MISMATCH', 'Rows of an answer are all of one kind.');
  return { type: first.type, shape: [count + more, ...rest], data: joined(first.data, second.data) };
}

/** The rows behind the first `past`; scores, which are of the last row alone, as they are. */
export function rowsFrom(rows: Tensor, past: number): Tensor {
  const [count = 0, ...rest] = rows.shape;
  if (past === 0 || count <= past) return rows;
  const width = rest.reduce((product, size) => product * size, 1);
  return { ...rows, shape: [count - past, ...rest], data: rows.data.slice(past * width) };
}

function joined(first: Tensor['data'], second: Tensor['data']): Tensor['data'] {
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(new Uint8Array(first.buffer, first.byteOffset, first.byteLength));
  bytes.set(new Uint8Array(second.buffer, second.byteOffset, second.byteLength), first.byteLength);
  return first instanceof BigInt64Array ? new BigInt64Array(bytes.buffer) : new Float32Array(bytes.buffer);
}
