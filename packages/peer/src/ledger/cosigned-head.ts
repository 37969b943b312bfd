import { type CryptoProvider, fromUtf8, type Store, utf8 } from '@peerai/core-protocol';
import { openCheckpoint, type OwnLedger } from '@peerai/ledger';
import { type Cosigner, readCosigners, withCosignatures } from '@peerai/ledger/witness';

const key = 'cosigned';

/** Our newest checkpoint that somebody else signed too, kept with all signatures under it. */
export interface CosignedHead {
  /** With its cosignatures; undefined where nobody ever signed. */
  note(): Promise<string | undefined>;
  cosigners(): Promise<readonly Cosigner[]>;
  /** A line that was checked, under this checkpoint of ours. */
  add(note: string, line: string): Promise<void>;
}

export function createCosignedHead(crypto: CryptoProvider, store: Store, ledger: OwnLedger): CosignedHead {
  const read = async (): Promise<string | undefined> => {
    const value = await store.get(key);
    if (value === undefined) return undefined;
    const note = fromUtf8(value);
    // Of a key before this one, or of a log that was longer once: worth nothing here.
    const { origin, size } = openCheckpoint(crypto, note);
    return origin === ledger.origin && size <= ledger.size ? note : undefined;
  };
  return {
    note: read,
    async cosigners() {
      const note = await read();
      return note === undefined ? [] : readCosigners(crypto, note);
    },
    async add(note, line) {
      const held = await read();
      const { size } = openCheckpoint(crypto, note);
      const heldSize = held === undefined ? -1n : openCheckpoint(crypto, held).size;
      if (heldSize > size) return;
      const base = held !== undefined && heldSize === size ? held : note;
      await store.commit([store.put(key, utf8(withCosignatures(base, [line])))]);
    },
  };
}
