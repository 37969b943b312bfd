import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '@peerai/core-protocol';

/** Whether an address says that peers meet by `protocol`. */
export const isMeetingAddress = (address: Multiaddr, protocol: string): boolean =>
  address.getComponents()[0]?.name === protocol;

/** Whom to meet: `/<protocol>/p2p/<peer>` and nothing behind it. */
export function meetingTarget(address: Multiaddr, protocol: string): PeerId | undefined {
  const [first, second, ...rest] = address.getComponents();
  const is = first?.name === protocol && second?.name === 'p2p' && rest.length === 0;
  return is ? (second.value as PeerId | undefined) : undefined;
}
