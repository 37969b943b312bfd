import { writeFileSync } from 'node:fs';
import type { LeaseView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { counted, creditsText } from '../words.ts';
import { disputeFlags, evidenceFlags, savedText, standingText } from './evidence-file.ts';

const lease = {
  type: 'positional',
  required: true,
  description: 'Id from `peerai leases`, or its beginning',
} as const;

export const dispute = command(
  'dispute',
  'End a lease of nodes without the other’s yes, and write down the evidence',
  { id: lease, ...disputeFlags } as const,
  async ({ args, agent, output }) => {
    const done = await (await agent()).client.disputeNodes(args.id, args.reason);
    if (args.save !== undefined) writeFileSync(args.save, done.evidence);
    const where =
      args.save === undefined
        ? `Later: peerai leases evidence ${done.lease.id.slice(0, 12)} --save case.json`
        : savedText(args.save);
    output.data(done, () => `${disputedText(done.lease)}\n${where}`);
  },
);

export const evidence = command(
  'evidence',
  'Write down what both signed about a lease of nodes, for others to check',
  { id: lease, ...evidenceFlags } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const reason = args.reason ?? standingText[(await client.lease(args.id)).lease.state];
    const found = await client.nodeEvidence(args.id, reason);
    writeFileSync(args.save, found.evidence);
    output.data(found, () => savedText(args.save));
  },
);

const disputedText = ({ id, nodes, peerName, role, paidMicro, lockedMicro, refundedMicro }: LeaseView): string => {
  const earned = role === 'lender' ? 'earned' : 'paid';
  return [
    `Lease ${id.slice(0, 12)}, ${counted(nodes, 'node', 'nodes')} ${role === 'lender' ? 'for' : 'of'} ${peerName}, is disputed.`,
    `${creditsText(paidMicro)} credits ${earned}, ${creditsText(lockedMicro)} locked until the last receipt has arrived, ${creditsText(refundedMicro)} free again.`,
  ].join('\n');
};
