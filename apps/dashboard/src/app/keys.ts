/** Names of what is fetched; live events change the same names. */
export const keys = {
  node: ['node'],
  peers: ['peers'],
  pairings: ['pairings'],
  shares: ['shares'],
  models: ['models'],
  tasks: ['tasks'],
  messages: ['messages'],
  files: ['files'],
  groups: ['groups'],
  documents: ['documents'],
  capabilities: ['capabilities'],
  older: ['older'],
  sessions: ['sessions'],
  doctor: ['doctor'],
  ledger: ['ledger'],
} as const;
