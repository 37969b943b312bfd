/** Every bound of what is asked about the router in front of this node, with its unit and its reason. */
export const limits = {
  // ── STUN
  /** Servers asked; two say what there is to know, the others stand in for them. */
  stunServersMax: 8,
  /** TURN servers used: libdatachannel takes no more for one connection. */
  turnServersMax: 2,
  /** When a question is sent again, milliseconds after the first time: UDP loses packets. */
  stunAgainMs: [500, 1_500],
  /** One round of questions, milliseconds. */
  stunMs: 3_000,
  /** How often they are asked again, and how soon when none has answered, milliseconds: routers and networks change. */
  stunEveryMs: 600_000,
  stunSoonMs: 30_000,
  /** Bytes of an answer that are looked at; a server's own words are shorter. */
  stunAnswerBytesMax: 1_280,

  // ── dial-back
  /** Doors of one question: TCP, WebSocket and QUIC, and one that a router forwards from another port. */
  doorsMax: 4,
  /** Bytes of a question or its answer. */
  messageBytesMax: 256,
  /** One door tried, milliseconds. */
  dialBackMs: 3_000,
  /** Questions of one peer that are answered in a minute: 16 doors at the one address it comes from. */
  answersMax: 4,
  /** Peers whose doors are tried at the same time; the next is told that nothing was tried. */
  peersAtOnceMax: 16,
  /** One question, milliseconds: its channel, and the doors. */
  askMs: 10_000,
  /** How often a relay is asked again, and how soon after the link to it was lost, milliseconds. */
  askAgainMs: 600_000,
  askSoonMs: 20_000,
} as const;
