import { utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { bytes, message, optional, repeated, string, uint32, uint53 } from '../wire/index.ts';
import type { Identity } from './identity.ts';
import { peerIdFromPublicKey } from './peer-id.ts';
import { openSigned, sealSigned } from './signed.ts';

/** What a peer says about itself to anybody, under its own signature. */
export interface PeerRecord {
  readonly peer: PeerId;
  /** Multiaddrs, best first. */
  readonly addresses: readonly string[];
  /** For people; claimed, never proven. */
  readonly name: string;
  /** The higher one replaces the lower one; its maker counts it up. */
  readonly sequence: number;
  readonly expiresMs: number;
  /** 32-byte X25519 key for letters while the peer is away. */
  readonly sealKey?: Uint8Array;
  /** 1,216-byte MLKEM768-X25519 key that letters to this peer are sealed to; changed every week. */
  readonly letterKey?: Uint8Array;
  /** Multiaddrs of relays that keep letters for this peer, best first, each ending in `/p2p/<relay>`. */
  readonly mailboxes?: readonly string[];
  /** Names of models it wants found. */
  readonly models: readonly string[];
  /** Program and version, `peerai/0.1.0`. */
  readonly agent: string;
}

/** ML-KEM-768's 1,184 and X25519's 32. */
const letterKeyBytes = 1_216;
const recordTag = 'peerai/record/1';
const body = message({
  version: uint32(1),
  addresses: repeated(string(2), limits.recordAddressesMax),
  name: string(3),
  sequence: uint53(4),
  expiresMs: uint53(5),
  sealKey: optional(bytes(6)),
  models: repeated(string(7), limits.recordModelsMax),
  agent: string(8),
  letterKey: optional(bytes(9)),
  mailboxes: repeated(string(10), limits.recordMailboxesMax),
});

/** Throws LIMIT_EXCEEDED, naming the field. */
export function signRecord(identity: Identity, record: Omit<PeerRecord, 'peer'>): Uint8Array {
  checkFields(record);
  const { sealKey, letterKey, mailboxes = [], ...fields } = record;
  const text = body.encode({ version: 1, ...fields, sealKey, letterKey, mailboxes });
  return checkSize(sealSigned(identity, recordTag, text));
}

/** A record as its peer signed it. Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, LIMIT_EXCEEDED, EXPIRED. */
export function openRecord(crypto: CryptoProvider, sealed: Uint8Array, nowMs: number): PeerRecord {
  const signed = openSigned(crypto, recordTag, checkSize(sealed));
  const { version, sealKey, letterKey, mailboxes, ...fields } = body.decode(signed.body);
  if (version !== 1) {
    throw new PeerAiError('INVALID_VERSION', `peer record version ${version}; this program reads 1`, {
      supported: [1],
    });
  }
  const record = {
    peer: peerIdFromPublicKey(signed.signer),
    ...fields,
    ...(sealKey === undefined ? {} : { sealKey }),
    ...(letterKey === undefined ? {} : { letterKey }),
    ...(mailboxes.length === 0 ? {} : { mailboxes }),
  };
  checkFields(record);
  if (record.expiresMs <= nowMs) throw new PeerAiError('EXPIRED', 'this peer record is no longer valid');
  if (record.expiresMs > nowMs + limits.recordLifeMsMax + limits.clockSkewMsMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', 'this peer record claims to be valid for too long');
  }
  return record;
}

function checkSize(sealed: Uint8Array): Uint8Array {
  if (sealed.length <= limits.recordBytesMax) return sealed;
  throw new PeerAiError('LIMIT_EXCEEDED', `a peer record of ${sealed.length} bytes; at most ${limits.recordBytesMax}`);
}

function checkFields(record: Omit<PeerRecord, 'peer'>): void {
  const within = (name: string, ok: boolean): void => {
    if (!ok) throw new PeerAiError('LIMIT_EXCEEDED', `peer record: ${name} is too long`, { field: name });
  };
  const fits = (bytesMax: number) => (text: string) => utf8(text).length <= bytesMax;
  within('addresses', record.addresses.length <= limits.recordAddressesMax);
  within('addresses', record.addresses.every(fits(limits.addressBytesMax)));
  within('models', record.models.length <= limits.recordModelsMax);
  within('models', record.models.every(fits(limits.modelNameBytesMax)));
  within('name', fits(limits.nameBytesMax)(record.name));
  within('agent', fits(limits.nameBytesMax)(record.agent));
  if (record.sealKey !== undefined && record.sealKey.length !== 32) {
    throw new PeerAiError('INVALID_FORMAT', 'peer record: a seal key has 32 bytes');
  }
  const { letterKey, mailboxes = [] } = record;
  if (letterKey !== undefined && letterKey.length !== letterKeyBytes) {
    throw new PeerAiError('INVALID_FORMAT', `peer record: a letter key has ${letterKeyBytes} bytes`);
  }
  within('mailboxes', mailboxes.length <= limits.recordMailboxesMax);
  within('mailboxes', mailboxes.every(fits(limits.addressBytesMax)));
}
