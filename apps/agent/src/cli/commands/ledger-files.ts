import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromBase64Url, fromUtf8, PeerAiError, parsePeerId } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { decodeProof } from '@peerai/ledger';
import { createBallotBooth, isEntryProof, verifyEntryProof } from '@peerai/ledger/governance';
import { readTiles, tileFiles, verifyTiles } from '@peerai/ledger/sync';
import { readCosigners, verifyEquivocation, verifyWitnessedProof } from '@peerai/ledger/witness';
import type { ControlClient } from '@peerai/peer/control';

const pageMax = 500;

/** All of a log as plain files that any web server serves; returns how many entries. Throws INVALID_FORMAT for a folder that is not empty. */
export async function writeTiles(client: ControlClient, folder: string, origin: string | undefined): Promise<number> {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, 'checkpoint')))
    throw new PeerAiError('INVALID_FORMAT', `${folder} has other files in it; name an empty folder`);
  const of = origin === undefined ? {} : { origin };
  const first = await client.ledgerPage({ ...of, from: 0, limit: pageMax });
  const { note, size } = first;
  const entries = async function* () {
    for (let page = first, from = 0; from < size; from += pageMax) {
      if (from > 0) page = await client.ledgerPage({ ...of, from, limit: Math.min(pageMax, size - from) });
      for (const entry of page.entries.slice(0, size - from)) yield fromBase64Url(entry);
    }
  };
  for await (const { path, bytes } of tileFiles(nodeCrypto, { note, entries: entries() })) {
    const file = join(folder, ...path.split('/'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return size;
}

/** What a file or a folder proves, offline. */
export interface Offline {
  readonly ok: boolean;
  readonly what: 'log' | 'proof' | 'group-proof' | 'fork';
  readonly origin: string;
  /** Entries the checkpoint speaks of; from 2^53 on its digits, as no JSON number has them. */
  readonly size: number | string;
  readonly index?: number | string;
  readonly kind?: string;
  /** Peers that signed the checkpoint too. */
  readonly cosigners: readonly string[];
  readonly reason?: string;
  /** The group whose chain has the head, and since when by that group's clock. */
  readonly chain?: {
    readonly group: string;
    readonly name: string;
    readonly height: number;
    readonly timeMs: number;
    readonly members: number;
    /** Lies about this log that the chain names its writer for. */
    readonly faults: readonly string[];
  };
}

/**
 * A folder of tiles, a proof file with its entry in it (or beside it, `<file>.entry`), one with a group's chain, or evidence of a fork; no agent is asked.
 * Throws PROOF_WRONG, BLOCK_WRONG, USAGE, WITNESSES_MISSING, INVALID_SIGNATURE, INVALID_FORMAT, LIMIT_EXCEEDED, NOT_FOUND.
 */
export async function verifyOffline(
  path: string,
  policy: { readonly witnesses: readonly string[]; readonly quorum: number; readonly group?: string | undefined },
): Promise<Offline> {
  if (!existsSync(path)) throw new PeerAiError('NOT_FOUND', `there is no file ${path}`);
  const witnesses = policy.witnesses.map((id) => parsePeerId(id));
  const isFolder = statSync(path).isDirectory();
  const bytes = isFolder ? new Uint8Array() : readFileSync(path);
  if (isEntryProof(bytes)) return verifyByGroup(bytes, policy);
  if (policy.group !== undefined)
    throw new PeerAiError('PROOF_WRONG', 'this file has no group’s chain: only its log’s own signature stands for it');
  if (isFolder) return verifyFolder(path);
  if (!isProof(bytes)) {
    const { origin, heads } = forkIn(bytes, path);
    return { ok: true, what: 'fork', origin, size: exact(heads[1].size), cosigners: [] };
  }
  const stated = decodeProof(bytes).extra ?? readBeside(path);
  const { value, cosigners } = verifyWitnessedProof(nodeCrypto, bytes, stated, {
    witnesses,
    quorum: policy.quorum,
  });
  const { origin, index, size, entry } = value;
  const signers = cosigners.map(({ witness }) => witness);
  return {
    ok: true,
    what: 'proof',
    origin,
    index: exact(index),
    size: exact(size),
    kind: entry.kind,
    cosigners: signers,
  };
}

const exact = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : `${value}`;

/** What is neither of the other files is evidence of a fork, or nothing that is known here. */
function forkIn(bytes: Uint8Array, path: string): ReturnType<typeof verifyEquivocation> {
  try {
    return verifyEquivocation(nodeCrypto, bytes);
  } catch (error) {
    if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
    throw new PeerAiError('INVALID_FORMAT', `${path} is no proof and no evidence of a fork: ${error.message}`, {
      hint: 'A file of `peerai ledger prove`, a folder of `peerai ledger export --tiles`, or a fork’s evidence is checked.',
    });
  }
}

async function verifyByGroup(
  bytes: Uint8Array,
  { group: wanted, quorum }: { readonly group?: string | undefined; readonly quorum: number },
): Promise<Offline> {
  if (quorum > 0)
    throw new PeerAiError(
      'USAGE',
      'witnesses sign heads that they were shown; here a group’s chain stands for the head',
    );
  const found = await verifyEntryProof({ crypto: nodeCrypto, ballots: createBallotBooth() }, bytes);
  const { origin, index, size, entry, group, name, height, timeMs, members, faults } = found;
  if (wanted !== undefined && wanted !== group)
    throw new PeerAiError('PROOF_WRONG', `this is the chain of the group ${group}`, { group });
  return {
    ok: true,
    what: 'group-proof',
    origin,
    index: exact(index),
    size: exact(size),
    kind: entry.kind,
    cosigners: [],
    chain: { group, name, height, timeMs, members: members.length, faults: faults.map(({ kind }) => kind) },
  };
}

/** A log that was written to a folder as tiles. Throws NOT_FOUND, INVALID_FORMAT, INVALID_SIGNATURE; reading its entries throws LEDGER_DAMAGED. */
export const readFolder = (folder: string) => readTiles(nodeCrypto, reader(folder));

const reader =
  (folder: string) =>
  async (path: string): Promise<Uint8Array | undefined> => {
    const file = join(folder, ...path.split('/'));
    return existsSync(file) ? readFileSync(file) : undefined;
  };

async function verifyFolder(folder: string): Promise<Offline> {
  const read = reader(folder);
  const { ok, size, firstBad } = await verifyTiles(nodeCrypto, read);
  const note = fromUtf8((await read('checkpoint')) ?? new Uint8Array());
  const [origin = ''] = note.split('\n');
  const cosigners = readCosigners(nodeCrypto, note).map(({ witness }) => witness);
  const bad = firstBad === undefined ? {} : { reason: `entry ${firstBad.index}: ${firstBad.reason}` };
  return { ok, what: 'log', origin, size: exact(size), cosigners, ...bad };
}

/** The entry as a file of its own, for a proof that does not carry it. */
function readBeside(path: string): Uint8Array {
  const file = `${path}.entry`;
  if (!existsSync(file))
    throw new PeerAiError('NOT_FOUND', `the entry is not in this proof; it belongs beside it, as ${file}`);
  return readFileSync(file);
}

function isProof(bytes: Uint8Array): boolean {
  try {
    return fromUtf8(bytes.slice(0, 22)) === 'c2sp.org/tlog-proof@v1';
  } catch {
    return false;
  }
}
