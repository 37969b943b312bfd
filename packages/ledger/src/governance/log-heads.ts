import {
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Identity,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  signedBytes,
  utf8,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { limits as logLimits } from '../limits.ts';
import { verifyConsistency } from '../log/merkle.ts';
import { checkpointNote, checkpointText, noteKeyId, openCheckpoint, splitNote } from '../log/note.ts';
import { governanceLimits as limits } from './limits.ts';
import type { GovernanceState, Refusal } from './state.ts';

/** What a member says of its own log to its group. All of it is signed by the log's key, so whoever brings it to the chain can change nothing. */
export interface LogHeadWord {
  readonly origin: PeerId;
  /** Entries of the head of this log that the chain has; 0 for none. */
  readonly from: bigint;
  /** Entries of this one, from 1. */
  readonly size: bigint;
  readonly root: Uint8Array;
  /** The log's signature over its checkpoint, 64 bytes. */
  readonly head: Uint8Array;
  /** RFC 6962 consistency between the two; empty from 0. */
  readonly path: readonly Uint8Array[];
  /** Over all of this and the group, 64 bytes. */
  readonly signature: Uint8Array;
}
/** A head as the chain holds it. */
export interface LogHead {
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly head: Uint8Array;
  /** Of the block that has it. */
  readonly height: number;
  /** The group's clock then. */
  readonly timeMs: number;
}
/**
 * A word that its own log's key signed and no honest member says. `forked`: another root for the size that the chain has, proof for anybody by the two heads alone.
 * `rollback`: fewer entries than it knew the chain to have. `inconsistent`: more of them, and no path that leads there.
 */
export interface LogHeadFault {
  readonly origin: PeerId;
  readonly kind: 'forked' | 'rollback' | 'inconsistent';
  readonly height: number;
  readonly held: Pick<LogHead, 'size' | 'root' | 'head'>;
  readonly said: Pick<LogHead, 'size' | 'root' | 'head'>;
}
/** How far the chain knows its members' own logs. */
export interface LogHeads {
  /** Also of who is no member any more, up to the limit: who comes back goes on from there. */
  readonly heads: ReadonlyMap<PeerId, LogHead>;
  /** The first of each kind of each peer, newest last. */
  readonly faults: readonly LogHeadFault[];
}
export const noLogHeads: LogHeads = { heads: new Map(), faults: [] };

const tag = 'peerai/governance-log-head/1';
const { bytes, message, repeated, uint64 } = wire;
const fields = {
  origin: bytes(1),
  from: uint64(2),
  size: uint64(3),
  root: bytes(4),
  head: bytes(5),
  path: repeated(bytes(6), logLimits.pathHashesMax),
};
const form = message({ ...fields, signature: bytes(7) });
const signedForm = message({ ...fields, group: bytes(8) });

const covered = (group: string, { origin, from, size, root, head, path }: Omit<LogHeadWord, 'signature'>) =>
  signedBytes(
    tag,
    signedForm.encode({ origin: publicKeyFromPeerId(origin), from, size, root, head, path, group: fromHex(group) }),
  );

export const logHeadCodec = {
  encode(word: LogHeadWord): Uint8Array {
    checkWord(word);
    return form.encode({ ...word, origin: publicKeyFromPeerId(word.origin) });
  },
  /** Checks no signature. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  decode(encoded: Uint8Array): LogHeadWord {
    const read = form.decode(encoded);
    const word = { ...read, origin: peerIdFromPublicKey(read.origin) };
    checkWord(word);
    return word;
  },
};

/** Throws INVALID_FORMAT for none, LIMIT_EXCEEDED. */
export function checkLogHeads(words: readonly LogHeadWord[]): void {
  if (words.length === 0) throw new PeerAiError('INVALID_FORMAT', 'no heads are nothing to say');
  if (words.length > limits.logHeadsTogether)
    throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.logHeadsTogether} heads in one entry`);
}

function checkWord({ from, size, root, head, path, signature }: LogHeadWord): void {
  const isForm =
    size > 0n &&
    root.length === 32 &&
    head.length === 64 &&
    signature.length === 64 &&
    path.every(({ length }) => length === 32) &&
    (from > 0n || path.length === 0);
  if (!isForm) throw new PeerAiError('INVALID_FORMAT', 'this is no head of a log');
  if (from > limits.logEntriesMax || size > limits.logEntriesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a log has at most ${limits.logEntriesMax} entries`);
}

/**
 * What this peer says of its own log.
 *
 * @param group - hex. @param note - a checkpoint of the log of `identity`. @param path - from the `from` entries that the chain has to it.
 * Throws INVALID_FORMAT, INVALID_SIGNATURE, NOT_OUR_LOG.
 */
export function signLogHead(
  { crypto, identity }: { readonly crypto: CryptoProvider; readonly identity: Identity },
  group: string,
  { note, from, path }: { readonly note: string } & Pick<LogHeadWord, 'from' | 'path'>,
): LogHeadWord {
  const { origin, size, root } = openCheckpoint(crypto, note);
  if (origin !== identity.peer)
    throw new PeerAiError<LedgerErrorCode>('NOT_OUR_LOG', `this is a head of the log of ${origin}`);
  const keyId = noteKeyId(crypto, origin, identity.publicKey);
  const line = splitNote(note).signatures.find(
    ({ name, blob }) => name === origin && equalBytes(blob.subarray(0, 4), keyId),
  );
  const word = { origin, from, size, root, head: (line?.blob ?? new Uint8Array()).slice(4), path };
  return { ...word, signature: identity.sign(covered(group, word)) };
}

/** The checkpoint behind a head of the chain, as its log signed it. */
export const logHeadNote = (
  crypto: CryptoProvider,
  origin: PeerId,
  { size, root, head }: Pick<LogHead, 'size' | 'root' | 'head'>,
): string => checkpointNote(crypto, { origin, size, root }, head);

/** What becomes of a word: taken, refused, or one of the lies that are kept. Never throws. */
export function judgeLogHead(
  crypto: CryptoProvider,
  state: Pick<GovernanceState, 'group' | 'members' | 'policy' | 'logHeads'>,
  word: LogHeadWord,
): 'taken' | LogHeadFault['kind'] | Refusal {
  const { origin, from, size, root, path } = word;
  if (state.policy['log-heads.every_minutes'] === 0) return 'NO_EFFECT';
  if (!state.members.includes(origin)) return 'NOT_MEMBER';
  if (!isSigned(crypto, state.group, word)) return 'INVALID_SIGNATURE';
  const held = state.logHeads.heads.get(origin);
  if (held === undefined) return from === 0n ? 'taken' : 'TOO_LATE';
  if (size === held.size) return equalBytes(root, held.root) ? 'NO_EFFECT' : 'forked';
  // Of an earlier head of the chain: another member brought a newer one first, and nobody lied.
  if (from !== held.size) return 'TOO_LATE';
  if (size < held.size) return 'rollback';
  const proof = { size1: held.size, size2: size, root1: held.root, root2: root, path };
  return verifyConsistency(crypto, proof) ? 'taken' : 'inconsistent';
}

function isSigned(crypto: CryptoProvider, group: string, word: LogHeadWord): boolean {
  const key = publicKeyFromPeerId(word.origin);
  return (
    crypto.ed25519.verify(word.head, utf8(checkpointText(word)), key) &&
    crypto.ed25519.verify(word.signature, covered(group, word), key)
  );
}

const refusalOfFault = { forked: 'FORKED', rollback: 'ROLLBACK', inconsistent: 'INCONSISTENT' } as const;

/** The state with these words, and why the first of them was refused where none was taken. A lie changes no head and is kept. */
export function takeLogHeads(
  crypto: CryptoProvider,
  before: GovernanceState,
  words: readonly LogHeadWord[],
): { readonly logHeads: LogHeads; readonly refused: Refusal | undefined } {
  let { logHeads } = before;
  let refused: Refusal | undefined;
  let isTaken = false;
  for (const word of words) {
    const { origin, size, root, head } = word;
    const verdict = judgeLogHead(crypto, { ...before, logHeads }, word);
    const said = { size, root, head };
    if (verdict === 'taken') {
      isTaken = true;
      const next = { ...said, height: before.height, timeMs: before.timeMs };
      logHeads = { ...logHeads, heads: withHead(before, logHeads, origin, next) };
    } else if (verdict === 'forked' || verdict === 'rollback' || verdict === 'inconsistent') {
      refused ??= refusalOfFault[verdict];
      logHeads = { ...logHeads, faults: withFault(before, logHeads, { origin, kind: verdict }, said) };
    } else {
      refused ??= verdict;
    }
  }
  return { logHeads, refused: isTaken ? undefined : refused };
}

/** Who is no member and was heard from the longest ago goes first; members always have a place. */
function withHead(
  { members }: GovernanceState,
  { heads }: LogHeads,
  origin: PeerId,
  head: LogHead,
): ReadonlyMap<PeerId, LogHead> {
  const next = new Map(heads).set(origin, head);
  if (next.size <= limits.logHeadsKept) return next;
  const gone = [...next].filter(([peer]) => !members.includes(peer));
  const [oldest] = gone.toSorted(([, a], [, b]) => a.height - b.height);
  if (oldest !== undefined) next.delete(oldest[0]);
  return next;
}

function withFault(
  { height }: GovernanceState,
  { heads, faults }: LogHeads,
  { origin, kind }: Pick<LogHeadFault, 'origin' | 'kind'>,
  said: LogHeadFault['said'],
): readonly LogHeadFault[] {
  const held = heads.get(origin);
  if (held === undefined || faults.some((one) => one.origin === origin && one.kind === kind)) return faults;
  const { size, root, head } = held;
  return [...faults, { origin, kind, height, held: { size, root, head }, said }].slice(-limits.logHeadFaultsKept);
}
