/** Every bound of this package, with its unit and its reason. */
export const limits = {
  /** One SecureMessage body; a JSON text of this size can hold the event loop about 0.2 s. */
  messageBytesMax: 1_048_576,
  /** A message's kind, UTF-8 bytes. */
  kindBytesMax: 64,
  /** ± milliseconds between our clock and a message's timestamp. */
  clockSkewMsMax: 60_000,
  /** How long a nonce is remembered, milliseconds. */
  replayWindowMs: 300_000,
  /** Nonces and senders remembered at most; then the busiest sender's older half goes, and its older messages are refused. */
  replayEntriesMax: 100_000,
  /** JSON nesting that a signed text may have. */
  jsonDepthMax: 32,
  /** JSON values in one signed text: element counts, not only bytes. */
  jsonValuesMax: 20_000,
  /** Addresses inside a ticket or a signed record. */
  ticketAddressesMax: 4,
  recordAddressesMax: 16,
  /** Relays one signed record may name that keep its peer's letters. */
  recordMailboxesMax: 4,
  /** Models one signed record may name; a peer with more names the ones it wants found. */
  recordModelsMax: 64,
  /** Whole signed record: gossiped and stored for strangers, so it stays small. */
  recordBytesMax: 8_192,
  /** Peer ids kept at hand with their keys, about 0.3 KiB each: base58 costs 2 to 3 µs a time, and strangers bring them. */
  peerIdsKept: 1_024,
  /** How far ahead a record may expire, milliseconds: a stolen laptop's addresses are not handed out for a year. */
  recordLifeMsMax: 604_800_000,
  /** One succession or revocation as it travels: two signatures and two keys are 300. */
  keyStatementBytesMax: 512,
  /** How long an old key may stay good beside its successor, milliseconds. */
  keyGraceMsMax: 2_592_000_000,
  /** A peer's name for people, and its program's name and version, UTF-8 bytes. */
  nameBytesMax: 64,
  /** Bytes of one multiaddr text. */
  addressBytesMax: 256,
  /** Models one ticket may name. */
  ticketModelsMax: 8,
  /** Rights one ticket may give: there are three. */
  ticketRightsMax: 8,
  modelNameBytesMax: 128,
  /** Whole ticket in base64url characters, so that it stays a link. */
  ticketCharsMax: 1_200,
  /** Whole pasted link, characters: a ticket and a page's address. */
  linkCharsMax: 4_096,
  /** Distinct guest keys one ticket may admit at most. */
  ticketGuestsMax: 100,
  ticketConcurrencyMax: 16,
  /** An invite lives this long, milliseconds. */
  inviteLifeMs: 600_000,
  /** An error's sentence, and its details as JSON, UTF-8 bytes: for people and programs, not a way to send data. */
  rpcErrorMessageBytesMax: 1_024,
  rpcErrorDetailsBytesMax: 4_096,
  /** One blob fetched by hash, and the piece it comes in. */
  blobBytesMax: 268_435_456,
  blobPieceBytes: 65_536,
  /** How long a blob's next piece is waited for, milliseconds. */
  blobPieceMs: 30_000,
  /** Addresses a relay names to anyone who asks: a host with many interfaces must not fill a frame. */
  relayAddressesMax: 16,
  /** One answer of a relay about itself: as many addresses as it may name, and room. */
  relayAnswerBytesMax: 16_384,
  /** How long that may take, milliseconds. */
  relayAnswerMs: 10_000,
  /** One key of a Store, UTF-8 bytes: fits an index page many times over. */
  storeKeyBytesMax: 512,
  /** One value of a Store: above it a blob belongs into pieces. */
  storeValueBytesMax: 16_777_216,
} as const;
