import type { CryptoProvider, Clock, Opened, PeerId, Random } from '../ports/index.ts';
import type { Identity } from '../identity/identity.ts';
import type { ReplayWindow } from '../message/index.ts';
import type { RawObject } from './raw-json.ts';

/** `peerai/1`: ours, every field signed. `pcp/1.0-six`: six fields signed, versions 0.3, 1.0 and 1.1. `pcp/0.1`: the first service's. */
export const pcpProfiles = ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'] as const;
export type PcpProfile = (typeof pcpProfiles)[number];

/** What a message's `version` may be in each profile, as it is written there. */
export const profileVersions: Readonly<Record<PcpProfile, readonly (string | number)[]>> = {
  'peerai/1': [1],
  'pcp/1.0-six': ['0.3', '1.0', '1.1'],
  'pcp/0.1': ['0.1'],
};

/** A message that was checked. `proven` names what its signature covered; what it does not name is a hint anybody could have changed. */
export interface PcpOpened extends Opened {
  readonly profile: PcpProfile;
  /** As it is written on the wire. */
  readonly version: string;
  /** The name the sender goes by: an entity id, or in our own profile its peer id. */
  readonly senderId: string;
  readonly recipientId?: string;
  readonly sessionId?: string;
  readonly sequence?: number;
}

/** What an older message says of itself before anything of it is checked. */
export interface PcpClaim {
  readonly profile: 'pcp/1.0-six' | 'pcp/0.1';
  readonly senderId: string;
  readonly kind: string;
  readonly payload: unknown;
}
export interface PcpOpenDeps {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly replay: ReplayWindow;
  /**
   * The 32-byte Ed25519 key that belongs to an older peer's name, or undefined: then the message is refused. Whoever wants trust on first use
   * may take the key out of a handshake's claim.
   */
  readonly keyOf: (claim: PcpClaim) => Uint8Array | undefined;
}
export interface PcpOpenOptions {
  /** Our peer id, and the name older peers know us by. */
  readonly self: { readonly peer: PeerId; readonly entityId: string };
  /** Those that are switched on. */
  readonly profiles: readonly PcpProfile[];
  /** ± milliseconds for older peers' clocks; without it 60 s, in pcp/0.1 its reference's 300 s. At most 299,999, what a nonce is remembered. */
  readonly clockSkewMsMax?: number;
}
export interface PcpSealDeps {
  readonly identity: Identity;
  readonly random: Random;
  readonly clock: Clock;
}

/** A message as an older profile reads it: fields as they stand, and what its signature must cover. */
export interface LegacyMessage {
  readonly profile: PcpClaim['profile'];
  readonly version: string;
  readonly kind: string;
  readonly senderId: string;
  readonly recipientId?: string;
  readonly sessionId?: string;
  readonly sequence?: number;
  readonly timestampMs: number;
  /** As it is written. */
  readonly nonce: string;
  readonly payload: unknown;
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
}
/** How one older profile is read, its version checked already. Throws INVALID_FORMAT, MISSING_FIELDS. */
export type LegacyReader = (message: RawObject) => LegacyMessage;
