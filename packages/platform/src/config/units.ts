import { PeerAiError } from '@peerai/core-protocol';

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const unitsBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1_000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824,
};
const durationParts = /(\d+(?:\.\d+)?)\s*(ms|min|[smhd])\s*/gu;
const durationShape = /^(?:\d+(?:\.\d+)?\s*(?:ms|min|[smhd])\s*)+$/u;
const sizeShape = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)$/u;

/** '2h', '90s', '1h30m', '1.5d', '250ms'. Throws INVALID_FORMAT naming the units. */
export function parseDurationMs(text: string): number {
  const lower = text.trim().toLowerCase();
  if (!durationShape.test(lower))
    throw invalid(text, "a duration is a number with ms, s, m, h or d, such as '2h' or '1h30m'");
  let sumMs = 0;
  for (const [, count, unit] of lower.matchAll(durationParts)) sumMs += Number(count) * (unitsMs[unit ?? ''] ?? 0);
  const ms = Math.round(sumMs);
  if (!Number.isSafeInteger(ms)) throw invalid(text, 'this duration is longer than can be counted');
  return ms;
}

/** '10MB' (decimal), '10MiB' (binary), '512kB', '100B'. Throws INVALID_FORMAT naming the units. */
export function parseSizeBytes(text: string): number {
  const [, count, unit] = sizeShape.exec(text.trim().toLowerCase()) ?? [];
  const factor = unitsBytes[unit ?? ''];
  if (factor === undefined)
    throw invalid(text, "a size is a number with B, kB, MB, GB, KiB, MiB or GiB, such as '10MB'");
  const bytes = Math.round(Number(count) * factor);
  if (!Number.isSafeInteger(bytes)) throw invalid(text, 'this size is larger than can be counted');
  return bytes;
}

/** The shortest exact text that `parseDurationMs` reads back: 7_200_000 is '2h', 5_400_000 is '1h30m'. */
export function formatDuration(ms: number): string {
  let text = '';
  let leftMs = Math.max(0, Math.round(ms));
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const unitMs = unitsMs[unit] ?? 1;
    const count = Math.floor(leftMs / unitMs);
    leftMs -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}

function invalid(text: string, why: string): PeerAiError {
  return new PeerAiError('INVALID_FORMAT', `${JSON.stringify(text)} is not understood: ${why}`);
}
