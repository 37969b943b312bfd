import { PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import type { z } from 'zod';
import type { MarketDeps } from '../market/market.ts';
import type { MeteredLeaseDetail } from '../market/market.schema.ts';
import type { StorageParts } from '../market/room.ts';
import { mayUse } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type {
  StorageFoundView,
  storageLeaseRequestSchema,
  storageOfferRequestSchema,
  StorageView,
  StoredFileDetail,
} from './storage.schema.ts';
import { storageMethod } from './storage-protocol.ts';
import type { StorageRoom } from './storage-room.ts';

/** Room for bytes at a price: what this peer keeps for others, and what others keep for it. */
export interface PeerStorage {
  view(): Promise<StorageView>;
  /** What devices that are here offer. */
  offers(signal: AbortSignal): Promise<StorageFoundView>;
  /** Throws UNSUPPORTED where this peer keeps no files. */
  offer(wish: z.output<typeof storageOfferRequestSchema>): Promise<StorageView>;
  /** Leases under way go on. Throws NOT_OFFERED. */
  withdraw(): Promise<StorageView>;
  /** Throws DEVICE_UNKNOWN, NOT_OFFERED, PRICE_TOO_HIGH, PRICE_TOO_LOW, LIMIT_EXCEEDED, CREDIT_EXCEEDED, NOT_GRANTED, and what a call throws. */
  lease(wish: z.output<typeof storageLeaseRequestSchema>, signal: AbortSignal): Promise<MeteredLeaseDetail>;
  /** Seals a file and brings it to the lender; it is there whole when this resolves. Throws LEASE_UNKNOWN, LEASE_OVER, LIMIT_EXCEEDED, LIMIT_REACHED, and what a call throws. */
  put(lease: string, name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<StoredFileDetail>;
  /** Opened again, piece by piece as it is read. Throws FILE_UNKNOWN, HASH_MISMATCH, NOT_FOUND, and what a call throws. */
  read(
    file: string,
    signal: AbortSignal,
  ): Promise<{ readonly file: StoredFileDetail['file']; readonly bytes: AsyncIterable<Uint8Array> }>;
  /** Throws FILE_UNKNOWN, and what a call throws. */
  remove(file: string, signal: AbortSignal): Promise<StorageView>;
  /** Asks the lender now to show that it holds all. Throws LEASE_UNKNOWN, RECEIPT_WRONG, NOT_FOUND, and what a call throws. */
  prove(lease: string, signal: AbortSignal): Promise<StorageView>;
  start(isNeeded: boolean): Promise<void>;
  stop(): Promise<void>;
  /** Before a lease ends: the newest proof, and the lender has its signature. Never throws. */
  settle(lease: string, signal: AbortSignal): Promise<void>;
}

/** What stores is loaded when somebody does. */
export function createStorage(deps: MarketDeps, parts: () => Promise<StorageParts>): PeerStorage {
  const held = onDemand(async (): Promise<StorageRoom> => {
    const { shelf } = deps;
    if (shelf === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer keeps no files');
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openStorageRoom } = await import('./storage-room.ts');
    return openStorageRoom({ ...deps, ...(await parts()), shelf });
  });
  const room = held.get;
  const mayLease = (peer: PeerId): boolean => mayUse(deps.devices, peer, 'borrow');
  let serving: Disposable | undefined;
  return {
    view: async () => (deps.shelf === undefined ? nothing : (await room()).view()),
    offers: async (signal) => (deps.shelf === undefined ? { v: 1, offers: [] } : (await room()).offers(signal)),
    offer: async (wish) => (await room()).offer(wish),
    withdraw: async () => (await room()).withdraw(),
    lease: async (wish, signal) => (await room()).lease(wish, signal),
    put: async (lease, name, bytes, signal) => (await room()).put(lease, name, bytes, signal),
    read: async (file, signal) => (await room()).read(file, signal),
    remove: async (file, signal) => (await room()).remove(file, signal),
    prove: async (lease, signal) => (await room()).prove(lease, signal),
    async settle(lease, signal) {
      if (deps.shelf !== undefined) await (await room()).settle(lease, signal);
    },
    async start(isNeeded) {
      serving = serveMethod(
        deps.network,
        storageMethod,
        async (question, { peer }) => {
          if ((question.kind === 'offer' || question.kind === 'lease') && !mayLease(peer))
            throw new PeerAiError('NOT_GRANTED', 'this device may not lease anything here; its owner can allow it');
          return (await room()).answer(peer, question);
        },
        { clock: deps.clock },
      );
      if (isNeeded && deps.shelf !== undefined) await room();
    },
    async stop() {
      serving?.[Symbol.dispose]();
      await (await held.settled())?.closed();
    },
  };
}

const nothing: StorageView = { v: 1, offer: null, leases: [], files: [] };
