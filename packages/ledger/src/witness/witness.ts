import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  type Identity,
  PeerAiError,
  type PeerId,
  type Store,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { verifyConsistency } from '../log/merkle.ts';
import { openCheckpoint, type TreeHead } from '../log/note.ts';
import { createLocks } from '../receipt/locks.ts';
import { cosign } from './cosignature.ts';
import { bare, evidenceOfSize, forked } from './equivocation.ts';
import { witnessLimits as limits } from './limits.ts';
import { decodeAddCheckpoint } from './request.ts';

export interface WitnessDeps {
  /** A room of its own. */
  readonly store: Store;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs'>;
}
/** A head this witness stands for. */
export interface WitnessedHead extends TreeHead {
  /** With its writer's signature alone. */
  readonly note: string;
}
/** Stands for heads of other peers' logs: it signs only what follows all it has signed before. C2SP tlog-witness. */
export interface Witness {
  /**
   * Takes an add-checkpoint request and answers with its cosignature line. The head is on disk before the signature leaves.
   * Throws WITNESS_CONFLICT (`details.size` is the size to start from), PROOF_WRONG (the new head does not follow), FORKED with evidence,
   * LIMIT_REACHED (too many logs), INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED, what the store throws.
   */
  add(request: Uint8Array): Promise<string>;
  /** The newest head it stands for. */
  head(origin: PeerId): Promise<WitnessedHead | undefined>;
  /** In the order of their peer ids. */
  heads(): Promise<readonly WitnessedHead[]>;
  /** A log whose copies are kept here no more. Its writer may then show any history anew: only for what nobody asks of any more. */
  forget(origin: PeerId): Promise<void>;
}

const row = wire.message({ version: wire.uint32(1), note: wire.string(2) });

export function createWitness({ store, identity, crypto, clock }: WitnessDeps): Witness {
  const locks = createLocks();
  const key = (origin: PeerId): string => `w/${origin}`;
  const read = (value: Uint8Array): WitnessedHead => {
    const { note } = row.decode(value);
    return { ...openCheckpoint(crypto, note), note };
  };
  const head = async (origin: PeerId): Promise<WitnessedHead | undefined> => {
    const value = await store.get(key(origin));
    return value === undefined ? undefined : read(value);
  };
  const heads = async (): Promise<readonly WitnessedHead[]> => {
    const all: WitnessedHead[] = [];
    for await (const { value } of store.range('w/', 'w0')) all.push(read(value));
    return all;
  };
  const admit = async (): Promise<void> => {
    let count = 0;
    for await (const _ of store.range('w/', 'w0', { limit: limits.originsMax })) count += 1;
    if (count >= limits.originsMax)
      throw new PeerAiError('LIMIT_REACHED', `this witness stands for ${limits.originsMax} logs already`);
  };
  return {
    head,
    heads,
    forget: (origin) => locks.run('witness', () => store.commit([store.put(key(origin))])),
    async add(request) {
      const { oldSize, path, note } = decodeAddCheckpoint(request);
      const next = openCheckpoint(crypto, note);
      if (next.origin === identity.peer) throw new PeerAiError('INVALID_FORMAT', 'a peer is no witness of its own log');
      return locks.run('witness', async () => {
        const held = await head(next.origin);
        const size = held?.size ?? 0n;
        if (oldSize !== size) {
          throw new PeerAiError<LedgerErrorCode>('WITNESS_CONFLICT', `this witness stands for ${size} entries`, {
            size,
          });
        }
        if (held === undefined) await admit();
        checkGrowth(crypto, held, { ...next, note }, path);
        const isNew = held === undefined || next.size > size;
        if (isNew)
          await store.commit([store.put(key(next.origin), row.encode({ version: 1, note: bare(crypto, note) }))]);
        return cosign(crypto, identity, note, Math.max(0, Math.floor(clock.nowMs() / 1_000)));
      });
    },
  };
}

/** Throws unless `next` is `held` or follows it. */
function checkGrowth(
  crypto: CryptoProvider,
  held: WitnessedHead | undefined,
  next: WitnessedHead,
  path: readonly Uint8Array[],
): void {
  const size1 = held?.size ?? 0n;
  if (next.size < size1) throw new PeerAiError('INVALID_FORMAT', 'the checkpoint is smaller than where it starts from');
  if (held === undefined || size1 === 0n || next.size === size1) {
    if (path.length > 0) throw new PeerAiError('INVALID_FORMAT', 'nothing to prove, and a proof');
    if (held === undefined || next.size > size1 || equalBytes(next.root, held.root)) return;
    const evidence = evidenceOfSize(crypto, held.note, next.note);
    if (evidence !== undefined) throw forked(next.origin, evidence);
    return;
  }
  const proof = { size1, size2: next.size, root1: held.root, root2: next.root, path };
  if (!verifyConsistency(crypto, proof))
    throw new PeerAiError<LedgerErrorCode>(
      'PROOF_WRONG',
      'the new checkpoint does not follow the one this witness stands for',
    );
}
