import type { DeliveryView } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';

const dots: Readonly<Record<DeliveryView['state'] | 'unknown', DotName>> = {
  delivered: 'direct',
  queued: 'pending',
  refused: 'blocked',
  expired: 'blocked',
  unknown: 'offline',
};

/** The shape of where a message stands with one device. */
export const dotOf = (state: DeliveryView['state'] | 'unknown'): DotName => dots[state];
