/** Every bound of the pages, with its unit and its reason. */
export const limits = {
  /** Points kept for the sparklines: one a second, one minute. */
  trafficPointsMax: 60,
  /** Waits before the events are asked for again, milliseconds; the last one repeats. */
  reconnectMs: [500, 1_000, 2_000, 5_000],
  /** How often pages ask while events are away, and while they are here, milliseconds. */
  pollLostMs: 5_000,
  pollLiveMs: 30_000,
  /** Devices drawn on the map; the list has all of them. */
  mapDevicesMax: 24,
  /** Turns of a conversation that are sent and kept; older ones are dropped first. */
  turnsMax: 200,
  /** Characters of one message: the local API takes 200,000. */
  messageCharsMax: 20_000,
  /** Messages of a topic kept on the page while it listens. */
  heardMax: 100,
  /** Members of a group, oneself included: what MLS groups here take. */
  groupMembersMax: 32,
  /** Characters of a document's text: what may be written here. */
  documentTextCharsMax: 262_144,
  /** From so many keys on they can be looked for by their name. */
  findFrom: 12,
  /** Keys of a document that are shown at once; others are found by their name. */
  documentRowsMax: 200,
  /** Characters of a value in the list; all of it is there to edit. */
  valueCharsShown: 400,
  /** How many starting questions and suggestions are offered at once. */
  suggestionsMax: 4,
} as const;
