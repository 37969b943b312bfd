import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromBase64Url, fromUtf8, parsePeerId, PeerAiError, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { openCheckpoint } from '@peerai/ledger';
import { decodeGenesis, encodeEvidenceFile, type Evidence, verifyEvidenceFile } from '@peerai/ledger/agreement';
import { exportChain, readChain, verifyAccused } from '@peerai/ledger/chain';
import { verifyChainHead } from '@peerai/ledger/chain/heads';
import { createBallotBooth, type Decision, verifyGovernance } from '@peerai/ledger/governance';
import { unreadable } from '../open-file.ts';
import { type PointsSupply, supplyOf } from './points-supply.ts';
import type { ControlClient, GovernanceEvidenceView } from '@peerai/peer/control';

/** The chain of a group in one file, for `checkGroupHead`. @returns how many blocks. */
export async function writeGroupChain(
  client: Pick<ControlClient, 'governanceChain'>,
  group: string,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  const first = await client.governanceChain(group, 1, signal);
  let count = 0;
  const blocks = async function* () {
    for (let page = first; ; page = await client.governanceChain(group, count + 1, signal)) {
      for (const one of page.blocks) {
        count += 1;
        yield fromBase64Url(one);
      }
      if (page.next === null) return;
    }
  };
  const genesis = decodeGenesis(fromBase64Url(first.genesis));
  await pipeline(Readable.from(exportChain(genesis, blocks())), createWriteStream(file));
  return count;
}

/** What a signed head proves to who knows the group's key, and what a chain under it does. */
export interface HeadChecked {
  readonly key: string;
  /** Blocks that the head is over. */
  readonly size: number;
  readonly chain?: {
    readonly name: string;
    readonly blocks: number;
    readonly signatures: number;
    readonly digest: string;
  };
}

/** No agent is asked. Throws USAGE for a file that cannot be read, NOT_OUR_LOG for another key's head, INVALID_SIGNATURE, INVALID_FORMAT, BLOCK_WRONG, LEDGER_DAMAGED. */
export async function checkGroupHead(file: string, keyText: string, chainFile?: string): Promise<HeadChecked> {
  const key = parsePeerId(keyText);
  const note = fromUtf8(readFileBytes(file));
  const { origin, size } = openCheckpoint(nodeCrypto, note);
  if (origin !== key) throw new PeerAiError('NOT_OUR_LOG', `this head is of the key ${origin}`);
  const head = { key, size: Number(size) };
  if (chainFile === undefined) return head;
  await verifyChainHead(nodeCrypto, key, note, (await readChainFile(chainFile)).blocks);
  const { name, blocks, signatures, digest } = await checkGroupChain(chainFile);
  return { ...head, chain: { name, blocks, signatures, digest } };
}

/** What a group's chain proves by itself, to who knows the group's id. */
export interface ChainChecked {
  /** The group's id, hex: SHA-256 over how it began. */
  readonly group: string;
  readonly name: string;
  readonly blocks: number;
  readonly signatures: number;
  readonly digest: string;
  /** The group's own points. */
  readonly supply: PointsSupply;
  /** Newest first. */
  readonly decisions: readonly (Pick<Decision, 'id' | 'title' | 'result' | 'yes' | 'no' | 'abstain' | 'electors'> & {
    /** By ballots: which vote is whose is not in the chain. */
    readonly secret: boolean;
  })[];
}

/** No agent is asked. Throws USAGE for a file that cannot be read, LEDGER_DAMAGED for the first block that does not hold, INVALID_FORMAT. */
export async function checkGroupChain(file: string): Promise<ChainChecked> {
  const { genesis, blocks } = await readChainFile(file);
  const found = await verifyGovernance({ crypto: nodeCrypto, ballots: createBallotBooth() }, genesis, blocks);
  if (!found.ok) throw new PeerAiError('LEDGER_DAMAGED', found.problem ?? 'this chain does not hold');
  const { signatures, digest, state } = found;
  const decisions = state.decisions.map(({ id, title, result, yes, no, abstain, electors, isSecret: secret }) => {
    return { id, title, result, yes, no, abstain, electors, secret };
  });
  return {
    group: state.group,
    name: state.name,
    blocks: found.blocks,
    signatures,
    digest,
    supply: supplyOf(state),
    decisions: decisions.toReversed(),
  };
}

async function readChainFile(path: string): ReturnType<typeof readChain> {
  const file = await open(path).catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  if ((await file.stat()).isFile()) return readChain(file.createReadStream());
  await file.close();
  throw unreadable(path, { code: 'EISDIR' });
}

/** What `checkEvidence` reads. */
export function writeEvidence({ lies }: Pick<GovernanceEvidenceView, 'lies'>, file: string): void {
  writeFileSync(file, encodeEvidenceFile(lies.map(({ evidence }) => fromBase64Url(evidence))));
}

/**
 * No agent is asked. With a chain, also whether each was a member then. Throws USAGE for a file that cannot be read, and what `verifyEvidenceFile` and
 * `verifyAccused` throw for one that does not hold.
 */
export async function checkEvidence(
  file: string,
  chainFile?: string,
): Promise<readonly (Omit<Evidence, 'member' | 'bytes'> & { readonly peerId: string; readonly group: string })[]> {
  const lies = verifyEvidenceFile(nodeCrypto, readFileBytes(file));
  if (chainFile !== undefined) {
    const { genesis, blocks } = await readChainFile(chainFile);
    await verifyAccused(nodeCrypto, genesis, blocks, lies);
  }
  return lies.map(({ member, group, kind, epoch, height, view }) => ({
    peerId: member,
    group: toHex(group),
    kind,
    epoch,
    height,
    view,
  }));
}

function readFileBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}
