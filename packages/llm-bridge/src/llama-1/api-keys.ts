import { type CryptoProvider, equalBytes, utf8 } from '@peerai/core-protocol';

/** Keys and the rights they stand for. Every key is compared, by its SHA-256 and in constant time: the time tells nothing about any of them. */
export function apiKeyTable(
  crypto: Pick<CryptoProvider, 'sha256'>,
  keys: Iterable<readonly [key: string, grant: Uint8Array]>,
): (key: string) => Uint8Array | undefined {
  const known = [...keys].map(([key, grant]) => ({ hash: crypto.sha256(utf8(key)), grant }));
  return (key) => {
    const hash = crypto.sha256(utf8(key));
    let found: Uint8Array | undefined;
    for (const one of known) if (equalBytes(one.hash, hash)) found = one.grant;
    return found;
  };
}
