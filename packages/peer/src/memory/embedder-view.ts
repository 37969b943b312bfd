import { lexicalEmbedder, type Memory, memoryLimits } from '@peerai/nn-engine/memory';
import type { Embedders } from './embedders.ts';
import type { MemoryEmbedderView } from './memory.schema.ts';

const mebibytes = memoryLimits.localVectorBytesMax / 1_048_576;
const full = `the vectors that were made here fill their ${mebibytes} MiB; the rest is found by words, and what is forgotten makes room`;

/** Who embeds now, how much it has still to read, and why it reads no more though some is left. */
export function embedderView(
  embedders: Pick<Embedders, 'list' | 'now'>,
  memory: Pick<Memory, 'lacking' | 'hasRoomFor'>,
): MemoryEmbedderView {
  const [first = lexicalEmbedder] = embedders.list;
  const left = memory.lacking(first);
  const isFull = left > 0 && !memory.hasRoomFor(first);
  return { ...embedders.now(), left, ...(isFull ? { full } : {}) };
}
