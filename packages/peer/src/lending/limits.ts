/** Every bound of lending nodes, with its unit and its reason; apart from the package's others, which a guest's page loads. */
export const lendingLimits = {
  /** Gating nodes one peer lends, count: 64 of the largest clusters are in memory then. */
  lentNodesMax: 65_536,
  /** Bytes of a saved cluster that moves: 1,024 nodes of 32 inputs; as base64 in JSON it fits one request of the local API. */
  stateBytesMax: 524_288,
  /** Numbers of one run's inputs, and of its outputs: 256 KiB each. */
  runValuesMax: 32_768,
  /** Work of one run, vectors × nodes × (inputs + 16 for what else a node does): some ten milliseconds in which the lender does nothing else. */
  runWorkMax: 2_000_000,
  /** Numbers of all inputs, and of all outputs, of one lease: about 5 MB of JSON. */
  jobValuesMax: 262_144,
  /** One message of `/peerai/lease/1`, bytes: a state, a run's numbers, a lease, a receipt. */
  leaseMessageBytesMax: 851_968,
  /** How long one answer about a lease may take, milliseconds: others' runs go first, and a disk may be slow. */
  leaseCallMs: 30_000,
  /** How long a device may take to say what it lends, milliseconds, and one such message, bytes. */
  nodesCallMs: 5_000,
  nodesMessageBytesMax: 1_024,
  /** How long another lender may take to show what somebody holds there, milliseconds: the borrower waits for it. Lenders asked, and leases one shows, counts. */
  heldCallMs: 2_000,
  lendersAskedMax: 32,
  toldLeasesMax: 64,
  /** One such message, bytes: so many leases with both signatures. */
  heldMessageBytesMax: 40_960,
  /** How often the machine is measured while its nodes are lent, milliseconds, and how many of these a mean is of: twelve seconds. */
  measureEveryMs: 3_000,
  measuresKept: 5,
  /** How old a measurement may be that says that a node is free, milliseconds: a few that were missed. */
  measureAgeMsMax: 30_000,
  /** A free node is on a machine below these, as shares of it. */
  freeLoadMax: 0.3,
  freeProcessorMax: 0.7,
  freeMemoryMax: 0.8,
  /** How long a lease without a run holds its nodes, milliseconds: a borrower that is gone. */
  idleMs: 120_000,
  /** How often it is looked whether a lease's time is over, milliseconds. */
  lookMs: 1_000,
  /** How long an offer waits for the lender's yes, milliseconds, and how long a lost lender is tried again before the lease is given up. */
  offerMs: 15_000,
  lostMs: 30_000,
  /** Pause between two such tries, milliseconds. */
  againMs: 500,
  /** How long a lender keeps a lease's state for its borrower, and waits for a last signature, milliseconds. */
  keptMs: 86_400_000,
  /** Results of leases that are kept, count; the oldest goes first. */
  resultsKept: 20,
} as const;
