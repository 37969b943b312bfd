import type { Paths } from '@peerai/core-protocol';
import type { Components } from '../libp2p/components.ts';
import { limits } from './limits.ts';

/** Where our connections seem to come from, as others tell with libp2p's identify. They may lie: what many say is likelier. */
export function watchObserved({ events }: Components): Paths['observed'] {
  const seen = new Map<string, Set<string>>();
  events.addEventListener('peer:identify', ({ detail }) => {
    const address = detail.observedAddr?.toString().split('/p2p/')[0];
    if (address === undefined || address.includes('/p2p-circuit')) return;
    const by = seen.get(address) ?? new Set<string>();
    // The newest last: the oldest is the one to forget.
    seen.delete(address);
    seen.set(address, by);
    if (by.size < limits.observersMax) by.add(detail.peerId.toString());
    const [oldest] = seen.keys();
    if (seen.size > limits.observedMax && oldest !== undefined) seen.delete(oldest);
  });
  return () => [...seen].map(([address, by]) => ({ address, seenBy: by.size }));
}
