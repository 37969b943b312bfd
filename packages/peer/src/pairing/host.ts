import type { Clock, CryptoProvider, Identity, Logger, Network } from '@peerai/core-protocol';
import type { Devices } from './devices.ts';
import type { Invites } from './invites.ts';
import type { Offer, WaitingRoom } from './waiting-room.ts';

/** What both sides of a pairing work with. */
export interface PairingHost {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly network: Network;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly invites: Invites;
  readonly room: WaitingRoom;
  readonly stopping: AbortSignal;
  readonly name: () => string;
  readonly inviteAddresses: () => Promise<readonly string[]>;
  /** Makes it one of our devices, durably. Throws TOO_MANY_DEVICES. */
  remember(device: Offer): Promise<void>;
}
