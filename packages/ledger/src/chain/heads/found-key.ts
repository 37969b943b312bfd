import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import type { AgreementLink } from '../../agreement/types.ts';
import { createKeyCeremony, type GroupTerms } from '../../frost/ceremony.ts';
import type { GroupKey } from '../../frost/group-key.ts';
import { createBell } from '../../receipt/locks.ts';
import { encodeHeadsMessage, readHeadsMessage } from './message.ts';

export interface FoundKeyDeps {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly self: PeerId;
  /** Of this ceremony alone. What is sent to one member must be read by nobody else: shares of the key go there. */
  readonly link: AgreementLink;
}
export interface FoundKeyOptions {
  /** Milliseconds after which what may be lost is sent again; default 500. */
  readonly resendMs?: number;
  /** How long all members may take together, milliseconds; default a minute. */
  readonly timeoutMs?: number;
}

/**
 * Makes a key of the group with all its members, each running this at about the same time with the same terms; resolves when this member has its
 * share and the others have theirs, or when the time is over and only that they have is unknown. Throws TIMEOUT, with the `peers` that were silent;
 * SIGNER_WRONG, REFUSED as `KeyCeremony`; the signal's reason.
 */
export async function foundGroupKey(
  { link, self, clock, ...deps }: FoundKeyDeps,
  terms: GroupTerms,
  signal: AbortSignal,
  { resendMs = 500, timeoutMs = 60_000 }: FoundKeyOptions = {},
): Promise<GroupKey> {
  const ceremony = createKeyCeremony({ ...deps, self }, terms);
  const session = terms.ceremony;
  const others = terms.members.filter((peer) => peer !== self);
  const bell = createBell();
  const [announced, shares, done] = [new Map<PeerId, Uint8Array>(), new Map<PeerId, Uint8Array>(), new Set<PeerId>()];
  const stop = link.receive((from, bytes) => {
    const message = readHeadsMessage(bytes);
    if (message === undefined || !others.includes(from) || !equalBytes(message.session, session)) return;
    const { announcement, share } = message;
    // The first word counts: who tells one member another one is found out by the transcript.
    if (announcement !== undefined && !announced.has(from)) announced.set(from, announcement);
    if (share !== undefined && !shares.has(from)) shares.set(from, share);
    if (message.done === true) done.add(from);
    bell.ring('heard');
  });
  const endMs = clock.elapsedMs() + timeoutMs;
  let made: ReadonlyMap<PeerId, Uint8Array> | undefined;
  let key: GroupKey | undefined;
  let told = { point: -1, atMs: 0 };
  try {
    for (;;) {
      const seen = bell.rings;
      if (made === undefined && announced.size === others.length) made = ceremony.share(announced);
      if (made !== undefined && key === undefined && shares.size === others.length) key = ceremony.finish(shares);
      if (key !== undefined && done.size === others.length) {
        tell();
        return key;
      }
      const nowMs = clock.elapsedMs();
      if (nowMs >= endMs) break;
      const point = [made, key].filter((one) => one !== undefined).length;
      // Again only when something is new or may be lost: an answer to each message would be answered.
      if (point !== told.point || nowMs >= told.atMs + resendMs) {
        tell();
        told = { point, atMs: nowMs };
      }
      await nextOrLater(bell.next('heard', seen, signal), clock, told.atMs + resendMs - nowMs, signal);
    }
  } finally {
    stop();
  }
  if (key !== undefined) return key;
  const silent = others.filter((peer) => !announced.has(peer) || (made !== undefined && !shares.has(peer)));
  throw new PeerAiError('TIMEOUT', 'A key of a group needs all its members, and some are silent.', { peers: silent });

  function tell(): void {
    const announcement = ceremony.announce();
    for (const peer of others)
      link.send(peer, encodeHeadsMessage({ session, announcement, share: made?.get(peer), done: key !== undefined }));
  }
}

/** Resolves with the first of the two; throws the signal's reason. */
export async function nextOrLater(next: Promise<void>, clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([next, clock.sleep(ms, timer.signal).catch(() => undefined)]);
    signal.throwIfAborted();
  } finally {
    timer.abort();
  }
}
