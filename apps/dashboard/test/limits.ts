/** Download budgets, kB of gzip (1 kB = 1,000 bytes), from the targets for pages. */
export const limits = {
  /** The owner's page: script of the entry with all it imports at once, and of the first page shown. */
  ownerScriptKb: 150,
  /** Any one script that is fetched later. */
  lazyScriptKb: 200,
  /** The guest's page to its first answer: document, styles, every script, the network included. It has 184; the target is 190. */
  guestTotalKb: 185,
  /** The page for training with the network, but for the engine, whose size it says before it is fetched. It has about 303, 1 of them for the choice of the graphics card. */
  tabTotalKb: 313,
  /** What stands before the guest can type: document, styles, first script. */
  guestFirstPaintKb: 30,
} as const;

/** Sources in the bundle that no guest's tab fetches, because a guest asks no DHT, is in no private network and checks no log of its own. */
export const notForGuests = [
  '../../packages/ledger/src/log/verify.ts',
  '../../packages/transport/src/discovery/kad.ts',
  '../../packages/transport/src/policy/private-network.ts',
];
