import { PeerAiError } from '@peerai/core-protocol';
import type { LeaseView } from '@peerai/peer/control';

/** What commands about disputes of leases share, of nodes and of what the market leases. */
const reason = { type: 'string', valueHint: 'TEXT', description: 'What is wrong, in your words' } as const;
const save = { type: 'string', valueHint: 'FILE' } as const;

export const disputeFlags = {
  reason: { ...reason, required: true },
  save: { ...save, description: 'Write the evidence to a file' },
} as const;
export const evidenceFlags = { save: { ...save, required: true, description: 'Where to' }, reason } as const;
/** The reason of evidence that is written down without one: how the lease stands. */
export const standingText: Readonly<Record<LeaseView['state'], string>> = {
  offered: 'the lender has not said yes',
  active: 'the lease is running',
  closing: 'the nodes are given back, and the last signature is missing',
  settled: 'the lease is over, settled with the newest receipt that both signed',
  refunded: 'the lease is over, and nothing was signed for: all of its price went back',
  disputed: 'the lease is in dispute',
};
export const savedText = (file: string): string => `The evidence is in ${file}. Elsewhere: peerai market judge ${file}`;

/** What ends a lease; of one that is as it would be then it says how it is: nothing to do is no failure. */
export async function unlessDone<T>(ending: Promise<T>, asItIs: () => Promise<T | undefined>): Promise<T> {
  try {
    return await ending;
  } catch (error) {
    const done = PeerAiError.is(error, 'LEASE_STATE') ? await asItIs() : undefined;
    if (done === undefined) throw error;
    return done;
  }
}
