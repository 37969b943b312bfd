/** What commands about disputes of leases share, of nodes and of what the market leases. */
const reason = { type: 'string', valueHint: 'TEXT', description: 'What is wrong, in your words' } as const;
const save = { type: 'string', valueHint: 'FILE' } as const;

export const disputeFlags = {
  reason: { ...reason, required: true },
  save: { ...save, description: 'Write the evidence to a file' },
} as const;
export const evidenceFlags = { save: { ...save, required: true, description: 'Where to' }, reason } as const;
/** The reason of evidence that is written down without one. */
export const noReason = 'no reason given';
export const savedText = (file: string): string => `The evidence is in ${file}. Elsewhere: peerai market judge ${file}`;
