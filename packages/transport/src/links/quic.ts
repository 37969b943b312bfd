import type { Logger } from '@peerai/core-protocol';
import type { Libp2pInit } from 'libp2p';
import { reasonOf } from '../errors.ts';

type TransportFactory = NonNullable<Libp2pInit['transports']>[number];

/**
 * QUIC, which is native code: there is none for every machine. Where it does not load, it is left out with a warning.
 * It takes 12 to 25 ms and 3 MB to load (Node 24, x64), so it is loaded only where it is switched on.
 */
export async function loadQuic(logger: Logger): Promise<TransportFactory | undefined> {
  try {
    const { quic } = await import('@chainsafe/libp2p-quic');
    return quic();
  } catch (error) {
    logger.warn('quic-unavailable', { reason: reasonOf(error) });
    return undefined;
  }
}

export const isQuicAddress = (address: string): boolean => /\/quic(-v1)?(\/|$)/u.test(address);
