import type { Components } from '../libp2p/components.ts';

/**
 * libp2p tells others a public address of this machine only once AutoNAT has verified it, which needs many strangers: without this, a relay or an
 * agent on a server of its own was told by nobody but its private addresses. What is listened on is ours; whether a firewall stands before it, relays try.
 */
export function tellOwnAddresses({ addressManager, transportManager, events }: Components): void {
  events.addEventListener('transport:listening', () => {
    for (const address of transportManager.getAddrs())
      addressManager.confirmObservedAddr(address, { type: 'transport', ttl: Number.MAX_SAFE_INTEGER });
  });
}
