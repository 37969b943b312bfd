import { concatBytes, equalBytes, PeerAiError, utf8 } from '@peerai/core-protocol';
import type { Genesis } from '../agreement/index.ts';
import { exportChain, readChain } from '../chain/file.ts';
import type { LedgerErrorCode } from '../errors.ts';
import { limits as logLimits } from '../limits.ts';
import { openCheckpoint } from '../log/note.ts';
import { decodeProof, type Proven, verifyProof } from '../log/proof-file.ts';
import type { FoldDeps } from './fold.ts';
import { governanceLimits as limits } from './limits.ts';
import type { LogHeadFault } from './log-heads.ts';
import { verifyGovernance } from './verify.ts';

/** This line, 4 bytes length, a proof file (C2SP tlog-proof) with its entry, and a group's chain as `exportChain` writes it, up to the block with the head. */
const firstLine = utf8('peerai entry proof 1\n');

/** What a group's chain proves of an entry. */
export interface ProvenByGroup extends Proven {
  /** Hex. */
  readonly group: string;
  readonly name: string;
  /** Of the block with the head that the entry is under. */
  readonly height: number;
  /** The group's clock then, milliseconds. */
  readonly timeMs: number;
  /** Members when that was decided. */
  readonly members: readonly string[];
  readonly signatures: number;
  /** Lies about this log that the chain has up to there. */
  readonly faults: readonly LogHeadFault[];
}

/** @param proof - with the entry in its `extra` line, under a head that the last of `blocks` has. */
export async function* exportEntryProof(
  proof: Uint8Array,
  genesis: Genesis,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, proof.length);
  yield concatBytes(firstLine, length, proof);
  yield* exportChain(genesis, blocks);
}

export const isEntryProof = (file: Uint8Array): boolean => equalBytes(file.subarray(0, firstLine.length), firstLine);

/**
 * Entry, path to its log's head, that head in the group's chain, each block's certificate: checked with nothing but the file. That the head was taken, and is no
 * fork that the group refused, follows from all blocks before it, so all of them are in the file. Whether the group is the one that is meant is the reader's to
 * know, by its id. Throws PROOF_WRONG, BLOCK_WRONG, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED.
 */
export async function verifyEntryProof(deps: FoldDeps, file: Uint8Array): Promise<ProvenByGroup> {
  const { crypto } = deps;
  if (file.length > limits.entryProofBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `such a file has at most ${limits.entryProofBytesMax} bytes`);
  const start = firstLine.length + 4;
  if (!isEntryProof(file) || file.length < start) throw wrongForm('it does not begin as one');
  const length = new DataView(file.buffer, file.byteOffset + firstLine.length).getUint32(0);
  if (length > logLimits.proofBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the proof in this file is too long');
  if (start + length > file.length) throw wrongForm('it is cut short');
  const proof = file.subarray(start, start + length);
  const { extra, note } = decodeProof(proof);
  if (extra === undefined) throw wrongForm('the entry is not in it');
  const proven = verifyProof(crypto, proof, extra);

  const { genesis, blocks } = await readChain([file.subarray(start + length)]);
  const found = await verifyGovernance(deps, genesis, blocks);
  if (!found.ok) throw new PeerAiError<LedgerErrorCode>('BLOCK_WRONG', found.problem ?? 'this chain does not hold');
  const { state, signatures } = found;
  const { size, root } = openCheckpoint(crypto, note);
  const held = state.logHeads.heads.get(proven.origin);
  if (held === undefined || held.size !== size || !equalBytes(held.root, root) || held.height !== state.height)
    throw new PeerAiError<LedgerErrorCode>('PROOF_WRONG', 'the last block of this chain has not this head of the log');
  const { group, name, height, members } = state;
  const faults = state.logHeads.faults.filter(({ origin }) => origin === proven.origin);
  return { ...proven, group, name, height, timeMs: held.timeMs, members, signatures, faults };
}

const wrongForm = (reason: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `proof of an entry: ${reason}`);
