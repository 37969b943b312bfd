import { fromUtf8 } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** One peer asks another to meet: half of a WebRTC description exchange. */
export interface SignalOffer {
  /** Random; names its files and its answer. */
  readonly id: string;
  readonly from: string;
  /** Absent in `signaling.json` as older programs write it: whoever is not `from`. */
  readonly to?: string;
  readonly writtenMs: number;
  /** Without candidates, which come beside it, unless an older program wrote it. */
  readonly sdp: string;
  readonly candidates: readonly string[];
}

export interface SignalAnswer {
  /** The offer's id. */
  readonly for: string;
  readonly from: string;
  readonly writtenMs: number;
  readonly sdp: string;
}

const idForm = /^[0-9a-fA-F-]{8,64}$/u;
/** Peer ids, and the names of older programs; both become parts of file names. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/u;

export const isSignalName = (text: string): boolean => nameForm.test(text);

/** An offer as both forms of file hold it: time in seconds, the description as browsers write it. */
export function writeOffer(offer: SignalOffer): object {
  const { id, from, to, writtenMs, sdp, candidates } = offer;
  return {
    id,
    ts: writtenMs / 1_000,
    sdp: { type: 'offer', sdp },
    from,
    ...(to === undefined ? {} : { to }),
    candidates,
  };
}

export function writeAnswer({ for: offerId, from, writtenMs, sdp }: SignalAnswer): object {
  return { for: offerId, ts: writtenMs / 1_000, sdp: { type: 'answer', sdp }, from };
}

/** @param from - who wrote it, where the file says so elsewhere. Undefined for anything that is no offer. */
export function readOffer(value: unknown, from?: string): SignalOffer | undefined {
  const { id, ts, sdp, from: writer = from, to, candidates = [] } = fields(value);
  const description = descriptionOf(sdp, 'offer');
  if (typeof id !== 'string' || !idForm.test(id) || typeof ts !== 'number' || description === undefined)
    return undefined;
  if (!isName(writer) || (to !== undefined && !isName(to)) || !isCandidates(candidates)) return undefined;
  const told = candidates.slice(0, limits.signalCandidatesMax);
  return {
    id,
    from: writer,
    ...(to === undefined ? {} : { to }),
    writtenMs: ts * 1_000,
    sdp: description,
    candidates: told,
  };
}

export function readAnswer(value: unknown, from?: string): SignalAnswer | undefined {
  const { for: offerId, ts, sdp, from: writer = from } = fields(value);
  const description = descriptionOf(sdp, 'answer');
  if (typeof offerId !== 'string' || !idForm.test(offerId) || typeof ts !== 'number') return undefined;
  if (description === undefined || !isName(writer)) return undefined;
  return { for: offerId, from: writer, writtenMs: ts * 1_000, sdp: description };
}

/** The `ts` of any entry, as milliseconds. */
export function readTimeMs(value: unknown): number | undefined {
  const { ts } = fields(value);
  return typeof ts === 'number' ? ts * 1_000 : undefined;
}

/** JSON, or undefined: half a file is none. */
export function parseJson(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

export function isFresh(writtenMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - writtenMs) <= limits.signalFreshMs;
}

/** A description apart from its candidates. */
export function splitCandidates(sdp: string): Pick<SignalOffer, 'sdp' | 'candidates'> {
  const lines = sdp.split(/\r?\n/u);
  const isCandidate = (line: string): boolean => line.startsWith('a=candidate:');
  return {
    sdp: lines.filter((line) => !isCandidate(line) && line !== 'a=end-of-candidates').join('\r\n'),
    candidates: lines.filter(isCandidate).slice(0, limits.signalCandidatesMax),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function descriptionOf(value: unknown, type: 'offer' | 'answer'): string | undefined {
  const { type: told, sdp } = fields(value);
  return told === type && typeof sdp === 'string' && sdp.startsWith('v=0') ? sdp : undefined;
}

const isName = (value: unknown): value is string => typeof value === 'string' && isSignalName(value);

function isCandidates(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one.startsWith('a=candidate:'));
}
