/**
 * What SQLite notes in the index of its log (`-shm`), in the machine's byte order: up to which page a checkpoint wants to come, and how far the
 * last one came. They differ while one is under way, and after one that failed. https://sqlite.org/walformat.html#walidxfmt
 */
export const checkpointWords = { done: 96, wanted: 128, bytes: 4 } as const;

export function isInCheckpoint(index: Buffer): boolean {
  const { done, wanted, bytes } = checkpointWords;
  return !index.subarray(done, done + bytes).equals(index.subarray(wanted, wanted + bytes));
}
