/** Every bound of this package, with its unit and its reason. */
export const limits = {
  // ── channel
  /** Bytes a sender may have in flight before the reader took them; measured best of 256 KiB, 1 MiB and 2 MiB on three transports. */
  creditWindowBytes: 1_048_576,
  /** Bytes more for each millisecond of a far link's round trip: as much as keeps 10 MiB/s on their way; up to the bound, what one such channel may cost in memory. */
  creditBytesPerMs: 10_486,
  creditWindowBytesMax: 3_145_728,
  /**
   * Of these, bytes each side may send before it has heard of any credit: both know this figure, so that a request travels with the opening
   * of its channel. A prompt of some 16,000 tokens; what is longer waits one round trip for the rest of the window.
   */
  openingCreditBytes: 65_536,
  /** Bytes of a frame's head: kind (1) and length (4). Every message costs this much credit too, so that empty ones are not free. */
  frameHeadBytes: 5,
  /** Bytes of memory taken for a payload with its first byte; more only as it comes, so that telling a length takes little. */
  payloadRoomBytes: 65_536,
  /** Characters of a reset code on the wire. */
  resetCodeCharsMax: 64,
  /** Milliseconds between two looks at every channel; the grain of the two below. */
  heartbeatTickMs: 500,
  /** Ticks (1.5 s) without a byte from the other side before we ask. */
  heartbeatPingTicks: 3,
  /** Ticks (4.5 s) without a byte before the channel is dead: a peer that went silent frees its work within 5 s. */
  heartbeatDeadTicks: 9,
  /** Bytes of a raw channel held for a slow reader: libp2p's own read buffer, 4 MiB, resets the stream beyond it. */
  rawQueueBytesMax: 4_194_304,
  /** Bytes of a raw channel above which the stream is paused, where the muxer can pause. */
  rawPauseBytes: 1_048_576,
  /** How long the last frames of a closing stream may take to leave, milliseconds. */
  streamCloseMs: 1_000,
  /** Streams of one protocol on one connection libp2p lets through above our own count, so that our refusal can be told. */
  refusedStreamsMax: 16,

  // ── turns of one link
  /** Bytes of a message that leave at once where no other channel of the link writes; yamux cuts at this too. */
  pieceBytes: 65_536,
  /** Where others wait: an eighth of a second at 1 Mbit/s. */
  sharedPieceBytes: 16_384,
  /** Where a rate is set, as much as leaves in so many milliseconds, and never less than so many bytes. */
  pacedPieceMs: 50,
  pieceBytesMin: 1_024,
  /** Pieces that may go before the one that has waited longest. */
  overtakesMax: 3,

  // ── network
  /** Channel opening on one existing connection, milliseconds: a link that died silently must not hold the request. */
  openOnLinkMs: 2_500,
  /** The same on a far link, whose round trip it follows, milliseconds. */
  openOnLinkMsMax: 15_000,
  /** Ticks of the heartbeat (8 s) that a far link gets at most beyond a near one. */
  lateTicksMax: 16,
  /** Another link to the same peer is taken when it costs less than this share of the one in use, and so many milliseconds less. */
  betterShare: 0.75,
  betterMs: 5,
  /** One address dialled, milliseconds; WebRTC takes 0.1 s on a good machine. */
  dialAddressMs: 6_000,
  /** Steps of one dial that are remembered: some fifteen in libp2p, and one for each WebRTC candidate that somebody else sends. */
  dialStepsMax: 48,
  /** One step of talking to a SOCKS5 proxy, milliseconds: Tor builds its way to an onion service before it answers, and gives up itself after two minutes. */
  socksTimeoutMs: 60_000,
  /** First WebRTC try, milliseconds; each next one gets half as much again. One in six hangs in the native layer and never tells. */
  webrtcTryMs: 2_500,
  /** TCP and WebSocket get this much of a head start before QUIC, milliseconds: QUIC comes up sooner, but carried a third as much here and opens a channel a round trip later. */
  quicAfterMs: 100,
  /** Direct addresses get this much of a head start before relays are tried too, milliseconds. */
  relayHeadStartMs: 250,
  /** Addresses of one peer dialled in one attempt; the others are ignored. */
  dialAddressesMax: 16,
  /** Relays of ours, the owner's before those a group has named, tried for a peer whose addresses name none. */
  ownRelaysTriedMax: 4,
  /** A dial of libp2p's own (for a relay, the DHT, gossip) is waited for this long before one of ours is begun beside it, milliseconds. */
  joinDialMs: 2_000,
  /** How long two links of one kind to a peer are let be before one of them is ended, milliseconds: both sides have measured both by then. */
  spareLinkMs: 5_000,
  /** Connections an open() may lose under its hands before it gives up. */
  openRetriesMax: 3,
  /** WebRTC or direct connection beside a relayed one, milliseconds. */
  upgradeMs: 15_000,
  /** A failed upgrade is tried again at the next open() after this, milliseconds. */
  upgradeAgainMs: 30_000,
  /** Links are pinged this often, milliseconds. */
  linkPingEveryMs: 5_000,
  /** Ticks of the heartbeat (5 s) without an answer to a ping before a link is down. */
  linkPingTicks: 10,
  /** Link changes kept for a slow watcher; per connection only the newest counts. */
  linkChangesMax: 4_096,
  /** Relays an agent keeps a reservation on. */
  relaysMax: 8,
  /** Bootstrap nodes tried, each by itself, so that a dead one holds up no other; as many as the settings take. */
  bootstrapMax: 64,
  /** First and longest pause before a lost relay or bootstrap node is tried again, milliseconds. */
  relayRetryMs: 500,
  relayRetryMsMax: 30_000,
  /** How often a kept relay is looked at, milliseconds. */
  relayCheckMs: 1_000,
  /** stop() gives connections this long, milliseconds. */
  stopMs: 2_000,

  // ── libp2p: its defaults break networks behind one address
  /** Connections of one node unless the options say otherwise; 243 KB of memory each (TCP). */
  connectionsMax: 300,
  connectionTimeoutMs: 10_000,
  /** New inbound connections a second from one address; the default of 5 breaks an office, a NAT and every loopback test. */
  inboundConnectionsPerSecond: 100,
  /** Handshakes under way; the default of 10 is a burst of one office. */
  pendingConnectionsMax: 100,
  /** yamux streams of one connection, each way; its own default is 1,000. */
  streamsPerConnectionMax: 256,
  /** yamux's window of one stream, bytes; its own 16 MiB is more than the read buffer below, so a paused stream was reset. */
  streamWindowBytesMax: 4_194_304,
  /** Bytes libp2p holds for one stream nobody reads; our own credit stays below it. */
  streamReadBufferBytesMax: 4_194_304,

  /** A protocol that a connected peer speaks is written down again after this, milliseconds: libp2p forgets what it was not told for hours. */
  protocolNotedMs: 60_000,
  /** One identify message, bytes: addresses and protocols of a peer. */
  identifyBytesMax: 16_384,

  // ── relay: libp2p's 15 reservations, 128 KiB and 2 min are for strangers on a public net
  relayConnectionsMax: 4_096,
  /** Reservations of one relay: 190 KB of memory each, so about 200 MB. */
  relayReservationsMax: 1_024,
  /** How long a reservation lives without renewal, milliseconds. */
  relayReservationMs: 3_600_000,
  /**
   * Bytes of one relayed connection, both ways together: long chats, not model weights. libp2p's relay reads without
   * back-pressure, so this is also what a sender that ignores our credit can make a relay hold for one circuit.
   */
  relayCircuitBytesMax: 67_108_864,
  /** How long one relayed connection may last, milliseconds. */
  relayCircuitMs: 1_800_000,
  /** Circuits one peer may have open through one relay. */
  relayCircuitsPerPeerMax: 16,
  /** Topics a relay forwards for its peers: each is a mesh, scores and a cache in memory. */
  relayTopicsMax: 256,
  /** Of these, those that it joined for one peer: an agent listens to a handful, and nobody alone takes the places of all. */
  relayTopicsPerPeerMax: 32,

  // ── topics and directory
  /** One gossip message, bytes. */
  topicMessageBytesMax: 65_536,
  /** Messages kept for a slow subscriber where no guard says otherwise (a page's); the oldest is dropped. */
  topicQueueMax: 256,
  topicNameCharsMax: 128,
  /** A message that reached no listener although there are some is published again, so often and after so many milliseconds. */
  publishTriesMax: 10,
  publishAgainMs: 200,
  /** First and longest pause before a missing stream of gossip is asked for again, milliseconds: gossipsub opens one after the other, and one that hangs holds up the rest. */
  gossipStreamAgainMs: 500,
  gossipStreamAgainMsMax: 60_000,
  /** How long gossip remembers the score of a peer that has left, milliseconds; its own hour lets strangers with new keys fill memory, and a score they can shed by a new key protects nobody. */
  scoreKeptMs: 60_000,
  /** Records remembered: 8 KiB each at most, so 32 MiB. Expired ones go, then the one heard of longest ago. */
  recordsMax: 4_096,
  /** Of these, records that came from one neighbour: a quarter, so that no single one can push out what all others told. An agent behind one relay hears of as many peers as that relay reserves. */
  recordsPerSourceMax: 1_024,
  /** Records not known yet that one neighbour may bring in a window: as many as it may fill the book with; a signature costs about a millisecond to check. */
  recordsTakenMax: 1_024,
  /** The window of the above, milliseconds. */
  recordsWindowMs: 60_000,
  /** Neighbours counted in a window; the one first counted is forgotten. */
  recordSourcesMax: 4_096,
  /** One channel that asks our directory, from its opening to our last record, milliseconds: its asker waits findTimeoutMs. */
  directoryAnswerMs: 5_000,
  /** Peers without a connection in libp2p's peer store, which has no bound of its own: up to 16 KiB each (identifyBytesMax), so 16 MiB. The one met longest ago goes. */
  idlePeersMax: 1_024,
  /** Records one find() gives and one answer carries. */
  recordsPerFindMax: 64,
  /** Connected peers asked by one find(). */
  findPeersMax: 16,
  /** One question to one peer, milliseconds. */
  findTimeoutMs: 3_000,
  /** Characters of what is looked for. */
  findTextCharsMax: 160,

  // ── connections and bandwidth
  /** Connections beyond a node's limit that are let in to be told so, and how long they stay for it, milliseconds. */
  refusedConnectionsMax: 16,
  refusedConnectionMs: 1_000,
  /** What a peer that was still may be sent at once, milliseconds at its rate. */
  bandwidthBurstMs: 100,

  // ── private networks
  /** The proof that both know the key, from a link's first moment, milliseconds; three messages of at most 64 bytes. */
  membershipMs: 5_000,
  /** Addresses noted where somebody answered who is not in our private network. */
  foreignPlacesMax: 256,
  /** Bytes of the key. */
  networkKeyBytes: 32,

  // ── peer exchange and crawl
  /** Records asked for at once, given in one answer, and read of one: 128 KiB at most. */
  recordsPerExchangeMax: 16,
  /** Questions of one peer that are answered in a recordsWindowMs: one is usual, a crawl asks once more. */
  exchangeAnswersMax: 4,
  /** One question, its dial included, milliseconds. */
  exchangeMs: 8_000,
  /** How often it is looked whom to ask, and after what time the same peer is asked again, milliseconds. */
  exchangeLookMs: 1_000,
  exchangeAgainMs: 60_000,
  exchangeQuestionsAtOnce: 4,
  /** With fewer links than this, peers that were heard of are tried; so many a recordsWindowMs at most, whoever told of them. */
  exchangeLinksWanted: 8,
  exchangeDialsMax: 32,
  /** Peers that were not there when they were tried, and how long they are neither tried again nor passed on, milliseconds. */
  awayPeersMax: 1_024,
  awayMs: 600_000,
  /** Peers that one crawl tries, how many of them at the same time, and how long it takes at most, milliseconds. */
  crawlPeersMax: 256,
  crawlAtOnce: 4,
  crawlMs: 60_000,
  /** Random places of the DHT that one crawl looks at. */
  crawlSearchesMax: 8,

  // ── DHT
  /** Kademlia's k and alpha: copies of a value, and questions at the same time. Maymounkov and Mazières 2002 has 20 and 3. */
  dhtCopies: 20,
  dhtQuestionsAtOnce: 3,
  /** Values and provider entries kept for others, 8 KiB each at most, so 32 MiB; the one written longest ago goes. */
  dhtEntriesMax: 4_096,
  /** Bytes of DHT questions and values taken from one peer in a recordsWindowMs; a record takes up to 8 KiB, a question 100 bytes. */
  dhtBytesPerSourceMax: 2_097_152,
  /** Peers of one public /24 (IPv6: /48) in the routing table: a tenth of one bucket, so that one network cannot surround a key. */
  dhtPeersPerSubnetMax: 2,
  /** One search through the DHT, milliseconds. */
  dhtFindMs: 10_000,
  /** Peers that gave a record after which no more are asked for it. */
  dhtAnswersEnough: 3,
  /** Names under which one peer can be found: its own and those of its models; the others are in its record only. */
  dhtNamesMax: 32,
  /** One announcement, milliseconds; each name takes half a second. */
  dhtAnnounceMs: 60_000,
  /** How often it is looked whether to announce again, and how often that is done anyway, milliseconds. */
  dhtLookMs: 2_000,
  dhtAnnounceAgainMs: 1_800_000,
  /** In a DHT with fewer peers than copies it is announced again after this, milliseconds, and each time after twice as long. */
  dhtAnnounceSoonMs: 15_000,
  /** How long others keep the entry that a peer offers something, and how often outdated ones are removed, milliseconds. */
  dhtOfferMs: 7_200_000,
  dhtCleanMs: 600_000,
} as const;
