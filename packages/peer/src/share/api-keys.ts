import { fromHex, type PeerId } from '@peerai/core-protocol';
import { proveTicket } from '@peerai/core-protocol/access';
import { apiKeyTable } from '@peerai/llm-bridge';
import type { ClaimDeps } from './facts.ts';
import { shareState } from './shares.ts';

/**
 * The API keys of live shares, which are their tickets' secrets: a client of the first prototype shows such a key instead of a proof, and gets
 * one made here. Every live key is compared in constant time.
 */
export function shareApiKeys(
  deps: ClaimDeps & { readonly nowMs: () => number },
): (key: string, peer: PeerId) => Uint8Array | undefined {
  const { crypto, identity, shares, keySecret } = deps;
  return (key, peer) => {
    const live = shares.list().filter((share) => shareState(share, deps.nowMs()) === 'active');
    const table = apiKeyTable(
      crypto,
      live.map(({ id, secret }) => {
        const ticket = { id: fromHex(id), secret: keySecret, provider: identity.peer };
        return [secret, proveTicket(crypto, ticket, peer)] as const;
      }),
    );
    return table(key.toLowerCase());
  };
}
