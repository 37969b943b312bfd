import { toHex, utf8 } from '../bytes.ts';
import { peerIdFromPublicKey } from '../identity/peer-id.ts';
import { limits } from '../limits.ts';
import { openMessage } from '../message/index.ts';
import { concatProven, readConcat } from './concat.ts';
import { missingField, pcpError, wrongField } from './errors.ts';
import { pcpLimits } from './limits.ts';
import {
  type LegacyMessage,
  type PcpOpened,
  type PcpOpenDeps,
  type PcpOpenOptions,
  type PcpProfile,
  pcpProfiles,
  profileVersions,
} from './profile.ts';
import { RawNumber, type RawObject, readRawJson } from './raw-json.ts';
import { readSix, sixProven } from './six.ts';

const ownProven = ['version', 'kind', 'sender', 'recipient', 'sequence', 'timestampMs', 'nonce', 'payload'] as const;

/**
 * A message in any profile that is switched on, from the bytes as they came, after every check in this order: size, JSON, version, form,
 * recipient, clock, replay, sender's key, signature. Nobody unsigned is ever taken. Our own profile keeps `openMessage`'s order.
 *
 * Throws LIMIT_EXCEEDED, INVALID_FORMAT and MISSING_FIELDS (`details.field`), INVALID_VERSION (`details.supported`), WRONG_RECIPIENT,
 * CLOCK_SKEW, REPLAY_DETECTED, UNKNOWN_SENDER, INVALID_SIGNATURE, and what `openMessage` throws.
 */
export function openPcp(deps: PcpOpenDeps, bytes: Uint8Array, options: PcpOpenOptions): PcpOpened {
  if (bytes.length > limits.messageBytesMax) {
    throw pcpError('LIMIT_EXCEEDED', `a message of ${bytes.length} bytes; at most ${limits.messageBytesMax}`);
  }
  const message = readRawJson(bytes);
  if (!(message instanceof Map)) throw wrongField('the whole');
  const profile = profileOf(message as RawObject, options.profiles);
  if (profile === 'peerai/1') return openOwn(deps, bytes, options);
  return openLegacy(deps, (profile === 'pcp/0.1' ? readConcat : readSix)(message as RawObject), options);
}

/** Throws MISSING_FIELDS, INVALID_VERSION. */
function profileOf(message: RawObject, enabled: readonly PcpProfile[]): PcpProfile {
  const version = message.get('version') ?? null;
  if (version === null) throw missingField('version');
  const plain = version instanceof RawNumber ? Number(version.text) : version;
  const on = pcpProfiles.filter((profile) => enabled.includes(profile));
  const found = on.find((profile) => profileVersions[profile].some((known) => known === plain));
  if (found !== undefined) return found;
  const shown = typeof plain === 'string' || typeof plain === 'number' ? String(plain).slice(0, 40) : typeof plain;
  throw pcpError('INVALID_VERSION', `Unsupported version: ${shown}`, {
    supported: on.flatMap((profile) => profileVersions[profile].map(String)),
  });
}

function openOwn(deps: PcpOpenDeps, bytes: Uint8Array, { self }: PcpOpenOptions): PcpOpened {
  const opened = openMessage(deps, bytes, { self: self.peer, form: 'json' });
  const { sender, recipient, kind, payload, timestampMs, session, sequence, nonce } = opened;
  return {
    id: toHex(nonce.subarray(0, 16)),
    profile: 'peerai/1',
    version: '1',
    sender,
    senderId: sender,
    recipientId: recipient,
    ...(session === undefined ? {} : { sessionId: toHex(session) }),
    sequence,
    kind,
    payload,
    sentMs: timestampMs,
    proven: new Set([...ownProven, ...(session === undefined ? [] : ['session'])]),
  };
}

function openLegacy(deps: PcpOpenDeps, message: LegacyMessage, options: PcpOpenOptions): PcpOpened {
  const { profile, senderId, kind, payload, timestampMs, nonce, signature, signed, ...rest } = message;
  const nowMs = deps.clock.nowMs();
  const { entityId, peer } = options.self;
  if (message.recipientId !== undefined && message.recipientId !== entityId && message.recipientId !== peer) {
    throw pcpError('WRONG_RECIPIENT', 'this message is for another peer');
  }
  checkClock(message, nowMs, options);
  const key = deps.keyOf({ profile, senderId, kind, payload });
  if (key === undefined) throw pcpError('UNKNOWN_SENDER', `Unknown sender: ${senderId}`, { sender: senderId });
  const sender = peerIdFromPublicKey(key);
  const mark = deps.crypto.sha256(utf8(`${profile} `), key, utf8(nonce));
  deps.replay.check(sender, mark, timestampMs, nowMs);
  if (!deps.crypto.ed25519.verify(signature, signed, key)) {
    throw pcpError('INVALID_SIGNATURE', 'the signature does not fit this message and its sender');
  }
  deps.replay.accept(sender, mark, timestampMs, nowMs);
  return {
    ...rest,
    id: toHex(mark.subarray(0, 16)),
    profile,
    sender,
    senderId,
    kind,
    payload,
    sentMs: timestampMs,
    proven: profile === 'pcp/0.1' ? concatProven : sixProven,
  };
}

/** Throws CLOCK_SKEW. */
function checkClock({ profile, timestampMs }: LegacyMessage, nowMs: number, options: PcpOpenOptions): void {
  const usual = profile === 'pcp/0.1' ? pcpLimits.concatSkewMsMax : limits.clockSkewMsMax;
  const skewMsMax = Math.min(options.clockSkewMsMax ?? usual, pcpLimits.concatSkewMsMax);
  if (Math.abs(nowMs - timestampMs) <= skewMsMax) return;
  throw pcpError('CLOCK_SKEW', 'the message’s time and our clock are too far apart', { aheadMs: timestampMs - nowMs });
}
