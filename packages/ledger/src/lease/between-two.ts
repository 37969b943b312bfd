import {
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  type wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { checkTwice, readTwice, signFirst, signSecond } from './signed-twice.ts';

/** Who a lease is between. */
export interface Sides {
  readonly version: 1;
  readonly lender: PeerId;
  readonly borrower: PeerId;
}
type OnWire<T extends Sides> = Omit<T, keyof Sides> & {
  readonly version: number;
  readonly lender: Uint8Array;
  readonly borrower: Uint8Array;
};
type Side = 'lender' | 'borrower';

/** A form of statement about a lease, signed by one side and then by the other. */
export interface Form<T extends Sides, First extends Side> {
  /** With the first signature. Throws what `check` of the form throws. */
  begin(identity: Identity, statement: T): Uint8Array;
  /** The second signature beside a first one that was checked. */
  complete(identity: Identity, half: Uint8Array): Uint8Array;
  /** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
  read(bytes: Uint8Array): T;
  /** With every signature it carries checked. Throws INVALID_SIGNATURE, and what `read` throws. */
  open(crypto: CryptoProvider, bytes: Uint8Array): { readonly statement: T; readonly signedBy: First | 'both' };
}

/**
 * @param first - who signs first.
 * @param name - in words, for errors.
 * @param check - throws for values that no statement has.
 */
export function betweenTwo<T extends Sides, First extends Side>(form: {
  readonly first: First;
  readonly name: string;
  readonly tag: string;
  readonly bytesMax: number;
  readonly body: wire.Codec<OnWire<T>>;
  readonly check: (statement: T) => void;
}): Form<T, First> {
  const { first, name, tag, bytesMax, body, check } = form;
  const read = (bytes: Uint8Array): T => {
    const { version, lender, borrower, ...rest } = body.decode(readTwice(bytes, bytesMax).body);
    if (version !== 1)
      throw new PeerAiError<LedgerErrorCode>('INVALID_VERSION', `${name} version ${version}; this program reads 1`);
    const sides = { version: 1, lender: peerIdFromPublicKey(lender), borrower: peerIdFromPublicKey(borrower) };
    const statement = { ...sides, ...rest } as unknown as T;
    check(statement);
    return statement;
  };
  return {
    begin(identity, statement) {
      check(statement);
      const [lender, borrower] = [publicKeyFromPeerId(statement.lender), publicKeyFromPeerId(statement.borrower)];
      return signFirst(identity, tag, body.encode({ ...statement, lender, borrower }));
    },
    complete: (identity, half) => signSecond(identity, tag, half),
    read,
    open(crypto, bytes) {
      const statement = read(bytes);
      const signers = { first: statement[first], second: statement[first === 'lender' ? 'borrower' : 'lender'] };
      const by = checkTwice(crypto, tag, readTwice(bytes, bytesMax), signers);
      return { statement, signedBy: by === 'both' ? 'both' : first };
    },
  };
}
