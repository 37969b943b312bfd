import type { CacheView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const minuteMs = 60_000;
/** What study-pc has and this device not yet. */
export const hashAtStudy = 'ab'.repeat(32);

export const fixtureCache = (nowMs: number): CacheView => ({
  v: 1,
  files: [
    {
      sha256: '9c1185a5c5e9fc54612808977ee8f548b2258d31aa9c1185a5c5e9fc54612808',
      bytes: 44_300_000,
      fetchedMs: nowMs - 90 * minuteMs,
      usedMs: nowMs - 3 * minuteMs,
      fromName: 'study-pc',
    },
  ],
  bytes: 44_300_000,
  quotaBytes: 10_000_000_000,
  offered: false,
});

/** The cache of the local API: study-pc has one file more. */
export function answerCache(
  state: { cache: CacheView },
  { method, id }: { readonly method: string; readonly id: string | undefined },
  body: unknown,
): unknown {
  const { cache } = state;
  if (method === 'DELETE') {
    state.cache = { ...cache, files: cache.files.filter(({ sha256 }) => sha256 !== id) };
    return {};
  }
  if (method === 'GET') return schemas.cacheSchema.parse(cache);
  const { sha256, importAs } = schemas.cacheRequestSchema.parse(body);
  if (sha256 !== hashAtStudy) return undefined;
  const [bytes, nowMs] = [1_900_000, Date.now()];
  state.cache = {
    ...cache,
    bytes: cache.bytes + bytes,
    files: [{ sha256, bytes, fetchedMs: nowMs, usedMs: nowMs, fromName: 'study-pc' }, ...cache.files],
  };
  const away = { name: 'lab-nuc', roundTripMs: null, code: 'PEER_UNREACHABLE', reason: 'it is offline' };
  return schemas.fetchedSchema.parse({
    v: 1,
    sha256,
    bytes,
    wasHere: false,
    asked: [away, { name: 'study-pc', roundTripMs: 8.2, code: null }],
    ...(importAs === undefined ? {} : { importedAs: importAs }),
  });
}
