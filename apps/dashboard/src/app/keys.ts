/** Names of what is fetched; live events change the same names. */
export const keys = {
  node: ['node'],
  peers: ['peers'],
  pairings: ['pairings'],
  shares: ['shares'],
  models: ['models'],
  doctor: ['doctor'],
  ledger: ['ledger'],
} as const;
