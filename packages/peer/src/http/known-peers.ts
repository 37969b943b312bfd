import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Contact, Contacts } from '@peerai/messaging/http';
import type { Device, Devices } from '../pairing/devices.ts';
import type { Permission } from '../pairing/permissions.ts';

/** A paired device, or a peer of an older implementation that is known over HTTP only. */
export interface KnownPeer {
  readonly peer: PeerId;
  readonly name: string;
  readonly blocked: boolean;
  readonly allow: readonly Permission[];
  readonly addresses: readonly string[];
  readonly isDevice: boolean;
  /** A letter finds its way: to a device always, to an older peer where its address is known. */
  readonly isReachable: boolean;
}
export interface KnownPeers {
  get(peer: PeerId): KnownPeer | undefined;
  /** As `Devices.find`, and the names of older peers. Throws DEVICE_UNKNOWN. */
  find(text: string): KnownPeer;
}

/** Both kinds of peers that are not strangers; who has no more than the shared secret is none of them. */
export function createKnownPeers(devices: Devices, contacts: Pick<Contacts, 'byName' | 'byPeer'>): KnownPeers {
  return {
    get(peer) {
      const device = devices.get(peer);
      if (device !== undefined) return ofDevice(device);
      // Who was paired and then blocked or retired comes in by no other door.
      return devices.isBlocked(peer) ? undefined : ofContact(contacts.byPeer(peer));
    },
    find(text) {
      const contact = ofContact(contacts.byName(text));
      try {
        return ofDevice(devices.find(text));
      } catch (error) {
        if (contact === undefined || !PeerAiError.is(error, 'DEVICE_UNKNOWN')) throw error;
        return contact;
      }
    },
  };
}

const ofDevice = ({ peer, name, blocked, allow, addresses }: Device): KnownPeer => ({
  peer,
  name,
  blocked,
  allow,
  addresses,
  isDevice: true,
  isReachable: true,
});

function ofContact(contact: Contact | undefined): KnownPeer | undefined {
  if (contact === undefined || contact.profile === 'inbox') return undefined;
  const { peer, name, url, allow } = contact;
  return { peer, name, blocked: false, allow, addresses: [], isDevice: false, isReachable: url !== undefined };
}
