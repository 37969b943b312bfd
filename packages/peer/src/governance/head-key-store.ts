import {
  type Change,
  type CryptoProvider,
  fromBase64Url,
  type Identity,
  type Random,
  type Store,
  toBase64Url,
} from '@peerai/core-protocol';
import { decodeGroupKey, encodeGroupKey, type GroupKey } from '@peerai/ledger/frost';
import { records } from '../store/records.ts';
import { openFor, sealFor } from '../store/sealed.ts';

/** Which making of a key: an epoch's, and which try of it. */
export interface Making {
  readonly epoch: number;
  readonly attempt: number;
}
export interface HeldShare extends Making {
  readonly key: GroupKey;
}
interface ShareRow extends Making {
  /** `GroupKey`'s bytes sealed under this peer's own key. Base64url. */
  readonly sealed: string;
}
/** What one peer keeps of a group's key. A share is as secret as the peer's own key: it lies sealed under that one, and goes when its epoch is over. */
export interface HeadKeyStore {
  share(): Promise<HeldShare | undefined>;
  /** In the place of one before; the mark of its making goes with it. */
  keep(share: HeldShare): Promise<void>;
  /** The making that this peer announced itself for and has no share of: what it said then is lost with the process that said it. */
  begun(): Promise<Making | undefined>;
  begin(making: Making): Promise<void>;
  /** The newest signed head that this peer has seen, a signed note. */
  head(): Promise<string | undefined>;
  keepHead(note: string): Promise<void>;
  /** Share and mark; the head stays, it is no secret. */
  forgetKey(): Promise<void>;
  forgetAll(): Promise<void>;
}
const purpose = 'peerai/governance/1 head key';

export function headKeyStore(
  deps: { readonly store: Store; readonly crypto: CryptoProvider; readonly random: Random },
  identity: Identity,
  group: string,
): HeadKeyStore {
  const { store, crypto } = deps;
  const shares = records<ShareRow>(store, 'head-share');
  const marks = records<Making>(store, 'head-begun');
  const heads = records<string>(store, 'head-note');
  const commit = (...changes: readonly Change[]): Promise<void> => store.commit(changes);
  return {
    async share() {
      const row = await shares.get(group);
      if (row === undefined) return undefined;
      const { epoch, attempt, sealed } = row;
      return { epoch, attempt, key: decodeGroupKey(openFor(crypto, identity, purpose, fromBase64Url(sealed))) };
    },
    async keep({ epoch, attempt, key }) {
      const sealed = toBase64Url(sealFor(deps, identity, purpose, encodeGroupKey(key)));
      await commit(shares.put(group, { epoch, attempt, sealed }), marks.remove(group));
    },
    begun: () => marks.get(group),
    begin: (making) => commit(marks.put(group, making)),
    head: () => heads.get(group),
    keepHead: (note) => commit(heads.put(group, note)),
    forgetKey: () => commit(shares.remove(group), marks.remove(group)),
    forgetAll: () => commit(shares.remove(group), marks.remove(group), heads.remove(group)),
  };
}
