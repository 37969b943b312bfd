import { type CryptoProvider, fromHex, type Identity, type PeerId } from '@peerai/core-protocol';
import { proveTicket } from '@peerai/core-protocol/access';
import { apiKeyTable } from '@peerai/llm-bridge';
import { type Shares, shareState } from './shares.ts';

/**
 * The API keys of live shares: a client of the first prototype sends such a key instead of a ticket, and gets the same proof made for it here.
 * Every live key is compared in constant time.
 */
export function shareApiKeys(deps: {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly shares: Shares;
  readonly nowMs: () => number;
}): (key: string, peer: PeerId) => Uint8Array | undefined {
  const { crypto, identity, shares } = deps;
  return (key, peer) => {
    const live = shares.list().filter((share) => shareState(share, deps.nowMs()) === 'active');
    const table = apiKeyTable(
      crypto,
      live.map(({ id, secret }) => {
        const ticket = { id: fromHex(id), secret: fromHex(secret), provider: identity.peer };
        return [secret, proveTicket(crypto, ticket, peer)] as const;
      }),
    );
    return table(key.toLowerCase());
  };
}
