import { type Change, PeerAiError, type PeerId, fromHex, toHex } from '@peerai/core-protocol';
import type { SettlementKey, SettlementKeyStatement } from '@peerai/ledger/evm';
import { records } from '../store/records.ts';
import type { ChainDeps, Evm } from './room.ts';

type KeyBookDeps = Pick<ChainDeps, 'crypto' | 'identity' | 'clock' | 'store'> & {
  readonly accounts: { readonly ledger: Pick<ChainDeps['accounts']['ledger'], 'append'> };
};

/** Whose key is which: this peer's own word, and what others said of theirs. On disk. */
export interface KeyBook {
  /** Signed by both keys; in this peer's log too. */
  readonly own: Uint8Array;
  of(peer: PeerId): Promise<SettlementKeyStatement | undefined>;
  /** Of a peer's statements the newest counts. Throws INVALID_SIGNATURE where it is another's, and what `openSettlementKey` throws. */
  take(peer: PeerId, statement: Uint8Array): Promise<void>;
}
interface Kept {
  readonly statement: string;
}

export async function openKeyBook(
  { crypto, identity, clock, store: all, accounts }: KeyBookDeps,
  { openSettlementKey, settlementKeyEntry, stateSettlementKey }: Evm,
  key: SettlementKey,
): Promise<KeyBook> {
  const store = all.room('chain-keys');
  const rows = records<Kept>(store, 'key');
  const of = async (peer: PeerId): Promise<SettlementKeyStatement | undefined> => {
    const kept = await rows.get(peer);
    return kept === undefined ? undefined : openSettlementKey(crypto, fromHex(kept.statement));
  };
  const put = (peer: PeerId, statement: Uint8Array): Change => rows.put(peer, { statement: toHex(statement) });
  const said = await rows.get(identity.peer);
  const isSaid = said !== undefined && (await of(identity.peer))?.address === key.address;
  const own = isSaid ? fromHex(said.statement) : stateSettlementKey({ crypto, identity }, key, clock.nowMs());
  if (!isSaid) await accounts.ledger.append([settlementKeyEntry(own)], [put(identity.peer, own)]);
  return {
    own,
    of,
    async take(peer, statement) {
      const opened = openSettlementKey(crypto, statement);
      if (opened.peer !== peer)
        throw new PeerAiError('INVALID_SIGNATURE', 'this settlement key was stated by somebody else');
      const before = await of(peer);
      if (before === undefined || before.statedMs < opened.statedMs) await store.commit([put(peer, statement)]);
    },
  };
}
