import {
  type Change,
  createIdentity,
  type CryptoProvider,
  fromBase64Url,
  type Store,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import type { BallotKeys, GovernanceState } from '@peerai/ledger/governance';
import { type Records, records } from '../store/records.ts';
import type { BallotRow, KeyRow } from './rows.ts';

/**
 * What a peer keeps of votes by ballot while they are open: its own choice with what its ballot is made of, and the keys of votes that it proposed.
 * Either would tie a ballot to a member when somebody reads the disk later, so all of it goes when the vote is over.
 */
export interface BallotStore {
  /** This peer's own, by proposal. */
  own(group: string): Records<BallotRow>;
  /** For `commit`, before the proposal is said: its id is known only once it is decided, so the row goes by the key. */
  keyOf(group: string, keys: BallotKeys): Change;
  /** PKCS #8. */
  privateKey(group: string, publicKey: Uint8Array): Promise<Uint8Array | undefined>;
  /** Forgets the votes that were open before and are not now. */
  forgetEnded(group: string, before: GovernanceState, after: GovernanceState): Promise<void>;
  forgetGroup(group: string): Promise<void>;
}

export function ballotStore(store: Store): BallotStore {
  const own = (group: string): Records<BallotRow> => records(store, `ballot/${group}`);
  const keys = (group: string): Records<KeyRow> => records(store, `key/${group}`);
  const commit = async (changes: readonly Change[]): Promise<void> => {
    if (changes.length > 0) await store.commit(changes);
  };
  return {
    own,
    keyOf: (group, { publicKey, privateKey }) =>
      keys(group).put(keyName(publicKey), { privateKey: toBase64Url(privateKey) }),
    async privateKey(group, publicKey) {
      const row = await keys(group).get(keyName(publicKey));
      return row && fromBase64Url(row.privateKey);
    },
    async forgetEnded(group, before, after) {
      const changes: Change[] = [];
      for (const { id, secret } of before.proposals.values()) {
        if (secret === undefined || after.proposals.has(id)) continue;
        if ((await own(group).get(id)) !== undefined) changes.push(own(group).remove(id));
        const name = keyName(secret.key);
        if ((await keys(group).get(name)) !== undefined) changes.push(keys(group).remove(name));
      }
      await commit(changes);
    },
    async forgetGroup(group) {
      const changes: Change[] = [];
      for (const kept of [own(group), keys(group)]) for await (const [id] of kept.all()) changes.push(kept.remove(id));
      await commit(changes);
    },
  };
}

/** From the end of the modulus, before the exponent: random in every key. */
const keyName = (publicKey: Uint8Array): string => toBase64Url(publicKey.slice(-40, -8));

/** By what a ballot that was cast goes in the group's state. */
export const tokenIdOf = (crypto: CryptoProvider, { seed }: Pick<BallotRow, 'seed'>): string =>
  toHex(crypto.sha256(createIdentity(crypto, fromBase64Url(seed)).publicKey));
