import {
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type Random,
  type Store,
  toHex,
  wire,
} from '@peerai/core-protocol';
import { ed25519_FROST as frost } from '@noble/curves/ed25519.js';

import type { LedgerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { verifyConsistency } from '../log/merkle.ts';
import { type GroupKey, guarded, identifierOf, publicOf, wrong } from './group-key.ts';
import { decodeRequest, encodeCommitment, listOf, messageOf, type Request } from './request.ts';

/** One member that signs with its share. */
export interface GroupSigner {
  readonly key: GroupKey;
  /** For one session. Its secret half is in memory only and used once: after a restart it is gone, so it cannot be used again. */
  commit(): Uint8Array;
  /**
   * This member's part of the signature, when the log only grew since it signed last: it remembers, on disk before anything leaves, which head that was.
   * The first head is taken as it is. Throws INVALID_FORMAT; NOT_FOUND for a commitment that is not open here; PROOF_WRONG for a head that does not
   * contain the last one; and what the store throws.
   */
  sign(request: Uint8Array): Promise<Uint8Array>;
}

const headForm = wire.message({ size: wire.uint64(1), root: wire.bytes(2) });

/** @param store - a room of its own for each group. Throws what the store throws; INVALID_FORMAT for a row that is none. */
export async function openGroupSigner(
  { store, crypto, random }: { readonly store: Store; readonly crypto: CryptoProvider; readonly random: Random },
  key: GroupKey,
): Promise<GroupSigner> {
  const secret = { identifier: identifierOf(key, key.self), signingShare: new Uint8Array(key.share) };
  const open = new Map<string, ReturnType<typeof frost.commit>['nonces']>();
  const row = await store.get('head');
  let last = row === undefined ? undefined : headForm.decode(row);
  let turn: Promise<unknown> = Promise.resolve();

  const take = (request: Request): ReturnType<typeof frost.commit>['nonces'] => {
    const own = request.commitments.get(key.self);
    const name = own === undefined ? '' : toHex(own.hiding);
    const nonces = open.get(name);
    // Gone before anything else can fail: a session that is broken off begins again with others.
    open.delete(name);
    if (nonces !== undefined) return nonces;
    throw new PeerAiError<LedgerErrorCode>(
      'NOT_FOUND',
      'This commitment is not open here: it was used, or is from before a restart.',
    );
  };

  /** Whether the log only grew: a log without entries is contained in every other. */
  const grew = ({ size, root, proof }: Request): boolean => {
    if (last === undefined || (size === last.size && equalBytes(root, last.root))) return true;
    if (size <= last.size) return false;
    const { size: size1, root: root1 } = last;
    return size1 === 0n || verifyConsistency(crypto, { size1, root1, size2: size, root2: root, path: proof });
  };

  return {
    key,
    commit() {
      const { nonces, commitments } = frost.commit(secret, (count = 32) => new Uint8Array(random.bytes(count)));
      open.set(toHex(commitments.hiding), nonces);
      for (const name of open.keys()) if (open.size > limits.groupNoncesMax) open.delete(name);
      return encodeCommitment(commitments);
    },
    sign(bytes) {
      const work = async (): Promise<Uint8Array> => {
        const request = decodeRequest(key, bytes);
        const nonces = take(request);
        if (!grew(request))
          throw new PeerAiError<LedgerErrorCode>(
            'PROOF_WRONG',
            'The head does not contain the one that was signed before.',
            { signed: last?.size, asked: request.size },
          );
        const share = guarded(() =>
          frost.signShare(secret, publicOf(key), nonces, listOf(key, request), messageOf(key, request)),
        );
        if (share === undefined) throw wrong('The commitments of this session make no signature.');
        const { size, root } = request;
        await store.commit([store.put('head', headForm.encode({ size, root }))]);
        last = { size, root };
        return share;
      };
      const next = turn.then(work, work);
      turn = next.catch(() => undefined);
      return next;
    },
  };
}
