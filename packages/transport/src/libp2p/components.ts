import type { Libp2pInit } from 'libp2p';

/** libp2p's inner parts, as every transport factory of its own gets them. */
export type Components = Parameters<NonNullable<Libp2pInit['transports']>[number]>[0];
