import { type Clock, type CryptoProvider, PeerAiError } from '@peerai/core-protocol';
import { createBuckets } from '../http/buckets.ts';
import { type OpenedEnvelope, openEnvelope } from '../http/envelope.ts';
import { secretPeer } from '../http/secret-peer.ts';
import { assistantLimits } from './limits.ts';

/**
 * Opens what comes for one name, by whatever way, each once: 600 in a burst, then 600 a minute for all who have the secret, because names are not proven.
 * What is opened throws INVALID_FORMAT, MISSING_FIELDS, WRONG_RECIPIENT, DECRYPTION_FAILED "Failed to decrypt message", INVALID_SIGNATURE
 * "HMAC mismatch", RATE_LIMITED, REPLAY_DETECTED.
 */
export function envelopeReader(
  { crypto, clock }: { readonly crypto: CryptoProvider; readonly clock: Clock },
  own: { readonly self: string; readonly secret: string },
): (envelope: Uint8Array) => OpenedEnvelope {
  const buckets = createBuckets(clock);
  const owner = secretPeer(crypto, own.secret, '');
  const seen = new Set<string>();
  return (envelope) => {
    const opened = openEnvelope(crypto, own, envelope);
    if (seen.has(opened.id)) throw new PeerAiError('REPLAY_DETECTED', 'this message has been here already');
    buckets.take(owner, 'inbox');
    seen.add(opened.id);
    const oldest = seen.size > assistantLimits.seenMax ? seen.values().next().value : undefined;
    if (oldest !== undefined) seen.delete(oldest);
    return opened;
  };
}
