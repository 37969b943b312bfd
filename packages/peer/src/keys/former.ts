import { type CryptoProvider, fromHex, openKeyStatement, type PeerId, type Store } from '@peerai/core-protocol';
import { type Records, records } from '../store/records.ts';

/** A key of this peer, on its way to the next one. */
export interface Own {
  readonly statement: string;
  readonly to: PeerId;
  readonly statedMs: number;
}

export const ownStatements = (store: Store): Records<Own> => records<Own>(store.room('keys'), 'own');

/** The statements that lead to this key, oldest first: a device that missed one hears all of them. */
export async function leadingTo(own: Records<Own>, self: PeerId): Promise<readonly Own[]> {
  const all: Own[] = [];
  for await (const [, one] of own.all()) all.push(one);
  const last = all.findLastIndex(({ to }) => to === self);
  return all.slice(0, last + 1);
}

/** The keys this peer had before the one it has. */
export async function readFormerKeys(
  { store, crypto }: { readonly store: Store; readonly crypto: CryptoProvider },
  self: PeerId,
): Promise<ReadonlySet<PeerId>> {
  const keys = new Set<PeerId>();
  for (const { statement } of await leadingTo(ownStatements(store), self)) {
    const opened = openKeyStatement(crypto, fromHex(statement), Infinity);
    if (opened.kind === 'succession') keys.add(opened.from);
  }
  return keys;
}
