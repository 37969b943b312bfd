import { concatBytes, type CryptoProvider, equalBytes, PeerAiError, utf8 } from '@peerai/core-protocol';
import { decodeGenesis, encodeGenesis } from '../agreement/epoch.ts';
import { agreementLimits as limits } from '../agreement/limits.ts';
import type { Genesis } from '../agreement/types.ts';
import { type ChainVerification, verifyChain } from './verify.ts';

/** A chain in one file: this line, then pieces of 4 bytes length and as many bytes: the genesis, each block, an empty one; then 8 bytes, how many blocks. */
const firstLine = utf8('peerai chain 1\n');

export async function* exportChain(
  genesis: Genesis,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield concatBytes(firstLine, piece(encodeGenesis(genesis)));
  let count = 0n;
  for await (const block of blocks) {
    count += 1n;
    yield piece(block);
  }
  const end = new Uint8Array(12);
  new DataView(end.buffer).setBigUint64(4, count);
  yield end;
}

const piece = (bytes: Uint8Array): Uint8Array => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatBytes(length, bytes);
};

/** The genesis of a file, and its blocks as they come, not checked. */
export interface ChainFile {
  readonly genesis: Genesis;
  /** Throws INVALID_FORMAT, LIMIT_EXCEEDED where the file is cut short, goes on after its end or says another count. */
  readonly blocks: AsyncIterable<Uint8Array>;
}

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED for what does not begin as such a file. */
export async function readChain(file: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<ChainFile> {
  const reader = createReader(file);
  if (!equalBytes(await reader.take(firstLine.length), firstLine)) throw wrong('it does not begin as a chain');
  const bytes = await nextPiece(reader);
  const genesis = decodeGenesis(bytes);
  if (!equalBytes(encodeGenesis(genesis), bytes)) throw wrong('the genesis has another form');
  return { genesis, blocks: blocksOf(reader) };
}

async function* blocksOf(reader: Reader): AsyncIterable<Uint8Array> {
  for (let count = 0n; ; count += 1n) {
    const block = await nextPiece(reader);
    if (block.length > 0) {
      yield block;
      continue;
    }
    const said = await reader.take(8);
    if (new DataView(said.buffer, said.byteOffset).getBigUint64(0) !== count)
      throw wrong('it has another count of blocks');
    if (!(await reader.isOver())) throw wrong('it goes on after its end');
    return;
  }
}

/**
 * `verifyChain` for a file. Without `genesis` it says only that the file is a whole chain of the group that it names itself: who wants to know
 * that it is a certain group's gives that group's genesis.
 */
export async function verifyChainFile(
  crypto: CryptoProvider,
  file: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  genesis?: Genesis,
): Promise<ChainVerification> {
  try {
    const found = await readChain(file);
    if (genesis !== undefined && !equalBytes(encodeGenesis(genesis), encodeGenesis(found.genesis)))
      return { ok: false, height: 0, code: 'BLOCK_WRONG', reason: 'the file is of another group' };
    return await verifyChain(crypto, found.genesis, found.blocks);
  } catch (error) {
    if (!PeerAiError.is(error, 'INVALID_FORMAT', 'INVALID_VERSION', 'LIMIT_EXCEEDED')) throw error;
    return { ok: false, height: 0, code: error.code, reason: error.message };
  }
}

interface Reader {
  /** Throws INVALID_FORMAT when the file ends before. */
  take(count: number): Promise<Uint8Array>;
  isOver(): Promise<boolean>;
}

function createReader(file: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Reader {
  const chunks = Symbol.asyncIterator in file ? file[Symbol.asyncIterator]() : file[Symbol.iterator]();
  let held = new Uint8Array();
  const more = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    held = new Uint8Array(concatBytes(held, next.value));
    return true;
  };
  return {
    async take(count) {
      while (held.length < count) if (!(await more())) throw wrong('it is cut short');
      const taken = held.slice(0, count);
      held = held.subarray(count);
      return taken;
    },
    async isOver() {
      while (held.length === 0) if (!(await more())) return true;
      return false;
    },
  };
}

async function nextPiece(reader: Reader): Promise<Uint8Array> {
  const length = await reader.take(4);
  const count = new DataView(length.buffer, length.byteOffset).getUint32(0);
  if (count > limits.blockBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a piece of this file has more than ${limits.blockBytesMax} bytes`);
  return reader.take(count);
}

const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `chain file: ${text}`);
