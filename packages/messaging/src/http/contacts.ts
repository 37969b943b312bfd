import {
  type CryptoProvider,
  fromHex,
  fromUtf8,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import type { PcpClaim } from '@peerai/core-protocol/pcp';
import { httpLimits } from './limits.ts';
import { secretPeer } from './secret-peer.ts';

/** How a peer that is not one of ours is spoken to; `inbox` is the shared-secret form. */
export type ContactProfile = PcpClaim['profile'] | 'inbox';

export type ContactRight = 'tasks';

/** A peer the owner named: its key is pinned, or the shared secret stands for it. */
export interface NamedContact {
  /** What the owner lets it do here besides sending messages: hand over tasks. Nothing unless said. */
  readonly allow?: readonly ContactRight[];
  readonly name: string;
  readonly profile: ContactProfile;
  /** 32 bytes; the shared-secret form has none. */
  readonly publicKey?: Uint8Array;
  /** Base URL to send to. */
  readonly url?: string;
}
export interface Contact extends NamedContact {
  readonly peer: PeerId;
  readonly allow: readonly ContactRight[];
  /** False for one that was believed on first use. */
  readonly isNamed: boolean;
}

/** Older peers by the names they go by. */
export interface Contacts {
  list(): readonly Contact[];
  byName(name: string): Contact | undefined;
  /**
   * The same, and where a shared secret and one address for everybody are set (seed 0's SECRET_KEY and PEER_URL), any other name too, from now on.
   * Durable, so that what waits for it finds its way after a restart. Throws as `believe`.
   */
  named(name: string): Promise<Contact | undefined>;
  byPeer(peer: PeerId): Contact | undefined;
  /** Somebody whose message was let in; it is told by this name until others are met. */
  meet(peer: PeerId, name: string): void;
  /** The name of a contact, or of one that was met. */
  nameOf(peer: PeerId): string | undefined;
  /** The key that a claim must be signed with: the pinned one, the believed one, in open mode the one a handshake brings. */
  keyOf(claim: PcpClaim): Uint8Array | undefined;
  /** Remembers the key of a handshake that was checked against it. Durable. Throws LIMIT_REACHED, what the store throws. */
  believe(claim: Pick<PcpClaim, 'profile' | 'senderId'>, publicKey: Uint8Array): Promise<void>;
  /**
   * What this one may do from now on, whatever was configured; it holds for the key that the name has now. Durable. Throws NOT_FOUND (no such name),
   * REFUSED (the shared secret proves no single peer), what the store throws.
   */
  allow(name: string, rights: readonly ContactRight[]): Promise<Contact>;
}

export interface ContactsDeps {
  /** A room of its own. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
}
export interface ContactsOptions {
  readonly named: readonly NamedContact[];
  /** Strangers' handshakes are believed. */
  readonly isOpen: boolean;
  readonly secret?: string;
  /** Where everybody who has the secret and no address of its own is written to. */
  readonly secretUrl?: string;
}

/** What the owner said later than the settings. */
interface RightsRow {
  readonly peer: PeerId;
  readonly allow: readonly ContactRight[];
}
interface Row {
  readonly name: string;
  readonly profile: ContactProfile;
  /** Hex; empty in the shared-secret form. */
  readonly key: string;
}

/** Throws LIMIT_EXCEEDED (too many named), KEY_REFUSED (a contact without key or secret), what the store throws. */
export async function openContacts({ store, crypto }: ContactsDeps, options: ContactsOptions): Promise<Contacts> {
  const { named, secret } = options;
  if (named.length > httpLimits.contactsNamedMax) throw new PeerAiError('LIMIT_EXCEEDED', 'too many named peers');
  const contacts = new Map<string, Contact>();
  const peers = new Map<PeerId, Contact>();
  const rights = new Map<PeerId, readonly ContactRight[]>();
  for await (const { value } of store.range('right/', 'right0')) {
    const { peer, allow } = JSON.parse(fromUtf8(value)) as RightsRow;
    rights.set(peer, allow);
  }
  const add = (contact: Contact): Contact => {
    const allow = contact.profile === 'inbox' ? [] : (rights.get(contact.peer) ?? contact.allow);
    const allowed = { ...contact, allow };
    contacts.set(contact.name, allowed);
    peers.set(contact.peer, allowed);
    return allowed;
  };
  for (const contact of named) add({ allow: [], ...contact, peer: peerOf(crypto, contact, secret), isNamed: true });
  const met = new Map<PeerId, string>();
  let remembered = 0;
  for await (const { value } of store.range('contact/', 'contact0')) {
    const row = JSON.parse(fromUtf8(value)) as Row;
    remembered += 1;
    const contact = contacts.has(row.name) ? undefined : contactOf(crypto, row, options);
    if (contact !== undefined) add(contact);
  }
  const remember = async (row: Row): Promise<Contact | undefined> => {
    const contact = contactOf(crypto, row, options);
    if (contact === undefined) return undefined;
    if (remembered >= httpLimits.contactsRememberedMax) {
      throw new PeerAiError('LIMIT_REACHED', 'too many peers are remembered already');
    }
    remembered += 1;
    const added = add(contact);
    try {
      const key = `contact/${toHex(crypto.sha256(utf8(row.name)))}`;
      await store.commit([store.put(key, utf8(JSON.stringify(row)))]);
      return added;
    } catch (error) {
      remembered -= 1;
      contacts.delete(contact.name);
      peers.delete(contact.peer);
      throw error;
    }
  };
  return {
    list: () => [...contacts.values()],
    byName: (name) => contacts.get(name),
    named: async (name) => contacts.get(name) ?? (await remember({ name, profile: 'inbox', key: '' })),
    byPeer: (peer) => peers.get(peer),
    meet(peer, name) {
      met.delete(peer);
      met.set(peer, name);
      const oldest = met.size > httpLimits.contactsMetMax ? met.keys().next().value : undefined;
      if (oldest !== undefined) met.delete(oldest);
    },
    nameOf: (peer) => peers.get(peer)?.name ?? met.get(peer),
    keyOf: (claim) => contacts.get(claim.senderId)?.publicKey ?? (options.isOpen ? introducedKey(claim) : undefined),
    async believe({ profile, senderId }, publicKey) {
      if (!contacts.has(senderId)) await remember({ name: senderId, profile, key: toHex(publicKey) });
    },
    async allow(name, allowed) {
      const contact = contacts.get(name);
      if (contact === undefined)
        throw new PeerAiError('NOT_FOUND', `no peer of http.peers is called "${name.slice(0, 80)}"`);
      if (contact.profile === 'inbox')
        throw new PeerAiError('REFUSED', 'whoever has the shared secret could use this name, so it gets no rights');
      const row: RightsRow = { peer: contact.peer, allow: allowed };
      await store.commit([store.put(`right/${contact.peer}`, utf8(JSON.stringify(row)))]);
      rights.set(contact.peer, allowed);
      return add(contact);
    },
  };
}

/** Undefined when the settings of today have no place for it: who closes the door again believes nobody any more. */
function contactOf(crypto: CryptoProvider, { name, profile, key }: Row, options: ContactsOptions): Contact | undefined {
  const { isOpen, secret, secretUrl } = options;
  if (profile === 'inbox') {
    if (secret === undefined || secretUrl === undefined) return undefined;
    return { name, profile, url: secretUrl, peer: secretPeer(crypto, secret, name), isNamed: false, allow: [] };
  }
  if (!isOpen) return undefined;
  const publicKey = fromHex(key);
  return { name, profile, publicKey, peer: peerIdFromPublicKey(publicKey), isNamed: false, allow: [] };
}

function peerOf(
  crypto: CryptoProvider,
  { name, profile, publicKey }: NamedContact,
  secret: string | undefined,
): PeerId {
  if (profile === 'inbox' && secret !== undefined) return secretPeer(crypto, secret, name);
  if (profile !== 'inbox' && publicKey !== undefined) return peerIdFromPublicKey(publicKey);
  const missing = profile === 'inbox' ? 'needs security.shared_secret' : 'needs its public key';
  throw new PeerAiError('KEY_REFUSED', `the peer ${name} ${missing}`, { name });
}

/** The key a `handshake` names as its own; that it holds it, its signature shows. */
function introducedKey({ kind, payload }: PcpClaim): Uint8Array | undefined {
  if (kind !== 'handshake' || typeof payload !== 'object' || payload === null) return undefined;
  const key: unknown = (payload as Readonly<Record<string, unknown>>)['public_key'];
  return typeof key === 'string' && /^[0-9a-fA-F]{64}$/u.test(key) ? fromHex(key) : undefined;
}
