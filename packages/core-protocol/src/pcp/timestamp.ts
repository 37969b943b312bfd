import { pcpLimits } from './limits.ts';
import { RawNumber, type RawJson } from './raw-json.ts';

const iso = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)$/;
/** Seconds up to the year 9999. */
const secondsMax = 253_402_300_799;

/** ISO 8601 in UTC (`Z` or `+00:00`, up to nine digits of a second), or UNIX seconds as a number. Undefined for anything else. */
export function readTimestamp(value: RawJson | undefined): number | undefined {
  if (value instanceof RawNumber) {
    const seconds = Number(value.text);
    return seconds >= 0 && seconds <= secondsMax ? Math.floor(seconds * 1_000) : undefined;
  }
  if (typeof value !== 'string' || value.length > pcpLimits.timestampCharsMax) return undefined;
  const [, year, month, day, hour, minute, second, fraction = ''] = iso.exec(value) ?? [];
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const timeMs = Date.parse(`${text}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  // The 30th of February is a date to some readers: only what reads back as it was written.
  if (!Number.isFinite(timeMs) || !new Date(timeMs).toISOString().startsWith(text)) return undefined;
  return timeMs;
}
