import type { CacheRequest, CacheView, FetchedView } from '../cache/cache.schema.ts';
import type { Call } from './cluster-calls.ts';

export interface CacheCalls {
  cache(signal?: AbortSignal): Promise<CacheView>;
  /** From the nearest device that has it. */
  fetchToCache(request: CacheRequest, signal?: AbortSignal): Promise<FetchedView>;
  removeFromCache(sha256: string): Promise<void>;
}

export const cacheCalls = (call: Call): CacheCalls => ({
  cache: (signal) => call('GET', '/cache', undefined, signal),
  fetchToCache: (request, signal) => call('POST', '/cache', request, signal),
  removeFromCache: (sha256) => call('DELETE', `/cache/${encodeURIComponent(sha256)}`),
});
