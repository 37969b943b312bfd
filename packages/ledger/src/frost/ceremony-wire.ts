import { wire } from '@peerai/core-protocol';

import { limits } from '../limits.ts';
import { bounded, wrong } from './group-key.ts';

/** What a member tells all others: for which terms, its commitments, and that it knows what is behind them. */
export interface Announcement {
  /** SHA-256 of the terms. */
  readonly terms: Uint8Array;
  readonly commitments: readonly Uint8Array[];
  readonly proof: Uint8Array;
}

/** What a member tells one other: which announcements it heard, as a hash, and a share that is for that one alone. */
export interface Share {
  readonly transcript: Uint8Array;
  readonly share: Uint8Array;
}

const announcementForm = wire.message({
  terms: wire.bytes(1),
  commitments: wire.repeated(wire.bytes(2), limits.groupMembersMax),
  proof: wire.bytes(3),
});
const shareForm = wire.message({ transcript: wire.bytes(1), share: wire.bytes(2) });
const none = new Uint8Array();

export const encodeAnnouncement = (announcement: Announcement): Uint8Array => announcementForm.encode(announcement);

export const encodeShare = (share: Share): Uint8Array => shareForm.encode(share);

/** Throws INVALID_FORMAT, also for none; LIMIT_EXCEEDED. Whether the bytes are points is for the library to say. */
export function decodeAnnouncement(bytes: Uint8Array = none): Announcement {
  const read = announcementForm.decode(bounded(bytes));
  const whole = read.commitments.every(({ length }) => length === 32) && read.proof.length === 64;
  if (!whole || read.terms.length !== 32) throw wrong('This is no announcement of a ceremony.');
  return read;
}

/** Throws as `decodeAnnouncement`. */
export function decodeShare(bytes: Uint8Array = none): Share {
  const read = shareForm.decode(bounded(bytes));
  if (read.transcript.length !== 32 || read.share.length !== 32) throw wrong('This is no share of a ceremony.');
  return read;
}
