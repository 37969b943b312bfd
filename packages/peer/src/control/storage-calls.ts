import type { MeteredLeaseDetail } from '../market/market.schema.ts';
import type {
  StorageFoundView,
  StorageLeaseRequest,
  StorageOfferRequest,
  StorageView,
  StoredFileDetail,
} from '../storage/storage.schema.ts';
import type { Call } from './cluster-calls.ts';

/** Leases go by their id or a beginning of it; stored files by their id, a beginning of it, or their name. */
export interface StorageCalls {
  storage(signal?: AbortSignal): Promise<StorageView>;
  /** What devices that are here offer. */
  storageOffers(signal?: AbortSignal): Promise<StorageFoundView>;
  offerStorage(request: StorageOfferRequest): Promise<StorageView>;
  withdrawStorage(): Promise<StorageView>;
  leaseStorage(request: StorageLeaseRequest, signal?: AbortSignal): Promise<MeteredLeaseDetail>;
  /** Resolves when the lender has it all and has shown it. */
  storeFile(lease: string, name: string, bytes: Blob, signal?: AbortSignal): Promise<StoredFileDetail>;
  /** Piece by piece as it is read, each checked; it breaks off where one is wrong. */
  storedFile(file: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  removeStoredFile(file: string, signal?: AbortSignal): Promise<StorageView>;
  /** Asks the lender now to show that it holds all. */
  proveStorage(lease: string, signal?: AbortSignal): Promise<StorageView>;
}
type Ask = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<Response>;

export function storageCalls(call: Call, ask: Ask): StorageCalls {
  const at = encodeURIComponent;
  const base = '/market/storage';
  return {
    storage: (signal) => call('GET', base, undefined, signal),
    storageOffers: (signal) => call('GET', `${base}/offers`, undefined, signal),
    offerStorage: (request) => call('POST', `${base}/offers`, request),
    withdrawStorage: () => call('DELETE', `${base}/offers`),
    leaseStorage: (request, signal) => call('POST', `${base}/leases`, request, signal),
    storeFile: (lease, name, bytes, signal) =>
      call('POST', `${base}/leases/${at(lease)}/files?${new URLSearchParams({ name }).toString()}`, bytes, signal),
    async storedFile(file, signal) {
      const { body } = await ask('GET', `${base}/files/${at(file)}/content`, undefined, signal);
      return piecesOf(body);
    },
    removeStoredFile: (file, signal) => call('DELETE', `${base}/files/${at(file)}`, undefined, signal),
    proveStorage: (lease, signal) => call('POST', `${base}/leases/${at(lease)}/prove`, {}, signal),
  };
}

async function* piecesOf(body: Response['body']): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}
