import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { capsuleKind, readCapsuleEntry } from './capsule-statement.ts';
import { checkpointKind, readCheckpointEntry } from './checkpoint-statement.ts';
import { decisionKind, readDecisionEntry } from './decision-statement.ts';
import { keyKind, readKeyEntry } from './key-statement.ts';
import { keptBeforeKind, readKeptBeforeEntry } from './kept-before-statement.ts';
import { leaseEntryView } from './lease-entry-view.ts';
import { messageKind, readMessageEntry } from './message-statement.ts';

/**
 * Reads the entries of a peer's own log that the ledger itself does not know, in order: each whole and of its version; leases, their receipts and ends, and
 * words about the key with every signature in them; and no two blocks of one height for a group. What a statement points to (a capsule's data, a group's block,
 * another log, whose heads may go back after a pardon) is elsewhere and not asked for. Kinds that it does not know pass.
 * The function throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED.
 */
export function createStatementChecker(crypto: CryptoProvider, origin: PeerId): (entry: EntryBody) => void {
  const blocks = new Map<string, string>();
  const checks: Readonly<Record<string, (body: Uint8Array) => void>> = {
    [capsuleKind]: (body) => void readCapsuleEntry(body),
    [keptBeforeKind]: (body) => void readKeptBeforeEntry(body),
    [messageKind]: (body) => void readMessageEntry(body),
    [keyKind]: (body) => void readKeyEntry(crypto, body, origin),
    [checkpointKind]: (body) => void readCheckpointEntry(body),
    [decisionKind](body) {
      const { group, height, block } = readDecisionEntry(body);
      const key = `${group}/${height}`;
      if ((blocks.get(key) ?? block) !== block)
        throw new PeerAiError('INVALID_FORMAT', `another block ${height} of this group was stated before`);
      blocks.set(key, block);
    },
  };
  return ({ kind, body }) => {
    checks[kind]?.(body);
    leaseEntryView(crypto, kind, body);
  };
}
