import type { PeerId } from './brand.ts';

/**
 * How far an attempt to reach a peer came, in this order; `reservation` is a place asked for at a relay. A relayed address begins with `circuit`
 * where another begins with `dial`.
 */
export type ConnectionStep =
  | 'resolve'
  | 'dial'
  | 'circuit'
  | 'reservation'
  | 'encrypt'
  | 'upgrade'
  | 'membership'
  | 'protocol';

/** Why a step failed. What each means and what helps stands in one table, `packages/peer/src/doctor/remedies.ts`. */
export type ConnectionCode =
  | 'OK'
  | 'ADDRESS_INVALID'
  | 'ADDRESS_OF_ANOTHER'
  | 'BLOCKED_HERE'
  | 'CLOCK_SKEW'
  | 'CLOSED_AFTER_HANDSHAKE'
  | 'CONNECTION_LOST'
  | 'FULL_HERE'
  | 'FULL_THERE'
  | 'NAME_UNKNOWN'
  | 'NOBODY_LISTENS'
  | 'NOT_A_PEER'
  | 'NO_ADDRESS'
  | 'NO_ANSWER'
  | 'NO_DIRECT_PATH'
  | 'NO_ROUTE'
  | 'NO_TRANSPORT'
  | 'PEER_GONE'
  | 'PEER_NOT_AT_RELAY'
  | 'POST_QUANTUM_REQUIRED'
  | 'PRIVATE_NETWORK'
  | 'PROTOCOL_UNKNOWN'
  | 'REFUSED'
  | 'RELAY_FULL'
  | 'RELAY_GONE'
  | 'RELAY_REFUSED'
  | 'UDP_NO_ANSWER'
  | 'WRONG_KEY';

/** One step at one address. */
export interface StepTrace {
  readonly step: ConnectionStep;
  readonly code: ConnectionCode;
  /** The multiaddr; empty where no one address is meant. */
  readonly address: string;
  /** What the other side or the machine said, one line; empty for a step that went well. */
  readonly cause: string;
  /** Milliseconds the step took; absent in what was remembered of an attempt, and there only failed steps stand. */
  readonly tookMs?: number;
}

/** One attempt to reach a peer. */
export interface ConnectionTrace {
  readonly peer: PeerId;
  /** Wall time, milliseconds. */
  readonly atMs: number;
  readonly steps: readonly StepTrace[];
}

/** What is known of the router in front of this peer, by asking the STUN servers its owner has named. */
export interface NatFacts {
  /** False until the servers have had their time to answer once. */
  readonly isKnown: boolean;
  /** Each as `host:port`; `seenAs` is where it saw us, and absent while it does not answer. */
  readonly stunServers: readonly { readonly server: string; readonly seenAs?: string }[];
  /** `none`: no router changes our address. `same`: it gives one socket one outer port towards all. `differs`: another towards each. Absent while fewer than two have said. */
  readonly mapping?: 'none' | 'same' | 'differs';
  /** TURN servers WebRTC may go through, as `host:port`. */
  readonly turnServers: readonly string[];
}

/** One address of this peer as somebody outside found it. */
export interface CheckedAddress {
  readonly address: string;
  readonly state: 'reachable' | 'unreachable';
  /** Who dialled it. */
  readonly by: PeerId;
  /** Wall time, milliseconds. */
  readonly atMs: number;
}

/** The ways to peers as they were tried: what failed at which step. Nothing of it outlives the process. */
export interface Paths {
  /** The last attempt at this peer, when it failed. */
  last(peer: PeerId): ConnectionTrace | undefined;
  /** Why this relay, by its configured address, is not there or gave no place; `undefined` when nothing failed. */
  relay(address: string): StepTrace | undefined;
  /** Tries every known address now, each to its end, whether or not a link is up. Resolves when the signal fires, with what was seen until then. */
  attempt(
    peer: PeerId,
    options: { readonly signal: AbortSignal; readonly addresses?: readonly string[] },
  ): Promise<ConnectionTrace>;
  /** Under which addresses others see this peer's connections, and how many said so. A port of a connection out of here is nobody's door. */
  observed(): readonly { readonly address: string; readonly seenBy: number }[];
  /** Absent where there is no WebRTC. */
  nat?(): NatFacts;
  /** Own addresses that others have tried on our asking. */
  checked?(): readonly CheckedAddress[];
}
