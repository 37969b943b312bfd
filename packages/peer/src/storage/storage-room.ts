import { callMethod, type Clock, fromHex, PeerAiError, type PeerId, type Shelf } from '@peerai/core-protocol';
import { isMeteredOpen, type MeteredRecord } from '@peerai/ledger/market';
import type { PeerErrorCode } from '../errors.ts';
import { leaseNamed } from '../lending/lease-named.ts';
import { microOf } from '../lending/offer.ts';
import type { MarketDeps } from '../market/market.ts';
import type { StorageParts } from '../market/room.ts';
import { openBorrower, type StoredFile } from './borrower.ts';
import { openLender } from './lender.ts';
import { storageLimits as limits } from './limits.ts';
import { openStorageOffer } from './offer.ts';
import type { PeerStorage } from './storage.ts';
import type { StorageFoundView, StorageLeaseView, StorageView, StoredFileView } from './storage.schema.ts';
import { plainStorageQuestion, type StorageAnswer, storageMethod, type StorageQuestion } from './storage-protocol.ts';

/** What storing does once it is used. */
export interface StorageRoom extends Omit<PeerStorage, 'start' | 'stop'> {
  answer(peer: PeerId, question: StorageQuestion): Promise<StorageAnswer>;
  closed(): Promise<void>;
}
type RoomDeps = MarketDeps & StorageParts & { readonly shelf: Shelf; readonly clock: Clock };

/** Throws what the store throws. */
export async function openStorageRoom(deps: RoomDeps): Promise<StorageRoom> {
  const { book, clock, devices, nameOf, stopping, logger } = deps;
  const store = deps.store.room('storage');
  const offer = await openStorageOffer(store);
  const lender = await openLender({ ...deps, store: store.room('lent'), offer });
  const askPeer = (
    peer: PeerId,
    question: Partial<StorageQuestion> & Pick<StorageQuestion, 'kind'>,
    signal: AbortSignal,
  ): Promise<StorageAnswer> => {
    const addresses = devices.get(peer)?.addresses ?? [];
    return callMethod(deps, peer, storageMethod, { ...plainStorageQuestion, ...question }, { signal, addresses });
  };
  const borrower = await openBorrower({
    ...deps,
    store: store.room('borrowed'),
    ask: ({ peer, id }, question, signal) => askPeer(peer, { ...question, lease: fromHex(id) }, signal),
  });
  const all = (): MeteredRecord[] => book.list().filter(({ terms }) => terms.resource === 'storage');
  const find = (text: string): MeteredRecord => leaseNamed(all(), text);
  const mine = (text: string): MeteredRecord => {
    const lease = find(text);
    if (lease.role === 'borrower') return lease;
    throw new PeerAiError<PeerErrorCode>(
      'LEASE_UNKNOWN',
      'this lease is another’s: only its borrower stores files there',
    );
  };
  const fileView = ({ id, lease, name, bytes, storedMs }: StoredFile): StoredFileView => {
    const peer = book.get(lease)?.peer;
    const who = { peerId: peer ?? '', peerName: peer === undefined ? 'unknown' : nameOf(peer) };
    return { id, lease, ...who, name, bytes, storedMs };
  };
  const fileOf = (text: string): StoredFile => {
    const fits = borrower
      .files()
      .filter(({ id, name }) => id === text || name === text || (text.length >= 8 && id.startsWith(text)));
    const [file, another] = fits;
    if (file !== undefined && another === undefined) return file;
    const why = file === undefined ? 'there is no stored file' : `${fits.length} stored files go by`;
    throw new PeerAiError('FILE_UNKNOWN', `${why} "${text.slice(0, 64)}"; peerai market files has their ids`);
  };
  const leaseView = (lease: MeteredRecord): StorageLeaseView => {
    const { id, role, peer, state, terms, n } = lease;
    const { provenMs, failures } = borrower.proof(id);
    const heldBytes = role === 'lender' ? lender.heldBytes(id) : borrower.heldBytes(id);
    const who = { peerId: peer, peerName: nameOf(peer) };
    return {
      lease: id,
      role,
      ...who,
      state,
      bytesMax: terms.unitsMax,
      heldBytes,
      proofs: n,
      provenMs: provenMs ?? null,
      failures,
    };
  };
  const view = (): StorageView => {
    const offered = offer.get();
    return {
      v: 1,
      offer:
        offered === undefined
          ? null
          : {
              unitPriceMicro: `${offered.unitPrice}`,
              bytes: offered.bytes,
              freeBytes: lender.freeBytes(),
              minutesMax: offered.minutesMax,
            },
      leases: all().map(leaseView).toReversed(),
      files: borrower
        .files()
        .map(fileView)
        .toSorted((a, b) => b.storedMs - a.storedMs),
    };
  };
  /** Has it proven; the third failure in a row ends the lease. */
  const proven = async (lease: MeteredRecord, signal: AbortSignal): Promise<void> => {
    try {
      await borrower.prove(lease, signal);
    } catch (error) {
      if (PeerAiError.is(error, 'RECEIPT_WRONG', 'HASH_MISMATCH'))
        deps.note(lease.peer, 'wrong-work', `storage/${lease.id}/${lease.n}`);
      const { failures } = borrower.proof(lease.id);
      if (failures >= limits.failuresMax && book.get(lease.id)?.state === 'active')
        await deps.dispute(
          lease.id,
          `the lender failed ${failures} proofs in a row that it still holds what it was given`,
          signal,
        );
      throw error;
    }
  };

  /** Proofs of what others hold, and the end of what this peer holds. */
  const look = async (): Promise<void> => {
    await lender.look();
    for (const lease of all()) {
      const { provenMs = lease.sinceMs } = borrower.proof(lease.id);
      const isDue = clock.nowMs() - provenMs >= limits.proveEveryMs && borrower.heldBytes(lease.id) > 0;
      if (lease.role !== 'borrower' || lease.state !== 'active' || !isDue || !deps.isOnline(lease.peer)) continue;
      await proven(lease, stopping).catch((error: unknown) => {
        if (stopping.aborted || !PeerAiError.is(error)) throw error;
        logger.warn('storage-not-proven', { lease: lease.id, peer: lease.peer, code: error.code });
      });
    }
  };
  const looking = (async () => {
    while (!stopping.aborted) {
      await clock.sleep(limits.lookMs, stopping).catch(() => undefined);
      if (!stopping.aborted)
        await look().catch((error: unknown) => {
          if (!stopping.aborted) logger.error('storage-look-failed', { error: String(error) });
        });
    }
  })();

  return {
    view: async () => view(),
    answer: (peer, question) => lender.answer(peer, question),
    async offers(signal) {
      const here = devices.list().filter(({ peer, blocked }) => !blocked && deps.isOnline(peer));
      const offers: StorageFoundView['offers'] = [];
      const asking = here.map(async ({ peer, name }) => {
        const said = await askPeer(peer, { kind: 'offer' }, signal).catch((error: unknown) => {
          if (signal.aborted || !PeerAiError.is(error)) throw error;
          return undefined;
        });
        const { unitPrice, freeBytes, minutesMax } = said ?? {};
        if (unitPrice === undefined || freeBytes === undefined || minutesMax === undefined) return;
        offers.push({ peerId: peer, peerName: name, unitPriceMicro: `${unitPrice}`, freeBytes, minutesMax });
      });
      await Promise.all(asking);
      return { v: 1, offers: offers.toSorted((a, b) => Number(BigInt(a.unitPriceMicro) - BigInt(b.unitPriceMicro))) };
    },
    async offer({ bytes, credits, minutesMax }) {
      await offer.set({ bytes, unitPrice: microOf(credits), minutesMax });
      return view();
    },
    async withdraw() {
      if (offer.get() === undefined) throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', 'this peer offers no storage');
      await offer.set(undefined);
      return view();
    },
    async lease(wish, signal) {
      const device = devices.find(wish.peer);
      const { unitPrice } = await askPeer(device.peer, { kind: 'offer' }, signal);
      if (unitPrice === undefined) throw new PeerAiError('INVALID_FORMAT', 'the lender’s price is missing');
      if (wish.creditsMax !== undefined && unitPrice > microOf(wish.creditsMax))
        throw new PeerAiError<PeerErrorCode>('PRICE_TOO_HIGH', `${device.name} asks more than that`, {
          unitPriceMicro: `${unitPrice}`,
        });
      const what = { resource: 'storage', subject: '', unitPrice, unitsMax: wish.bytes } as const;
      const signed = await book.offer({ lender: device.peer, ...what, minutes: wish.minutes });
      return deps.begin(deps.changed(signed), signal);
    },
    async put(text, name, bytes, signal) {
      if (name === '' || name.length > limits.nameCharsMax)
        throw new PeerAiError('INVALID_FORMAT', `a name has 1 to ${limits.nameCharsMax} characters`);
      return { v: 1, file: fileView(await borrower.put(mine(text), name, bytes, AbortSignal.any([signal, stopping]))) };
    },
    async read(text, signal) {
      const file = fileOf(text);
      const bytes = borrower.read(file, mine(file.lease), AbortSignal.any([signal, stopping]));
      // Asked before the answer begins: who lost it gets to say so.
      const first = await bytes.next();
      return { file: fileView(file), bytes: withFirst(first, bytes) };
    },
    async remove(text, signal) {
      const file = fileOf(text);
      await borrower.remove(file, book.get(file.lease), signal);
      return view();
    },
    async prove(text, signal) {
      await proven(mine(text), signal);
      return view();
    },
    async settle(id, signal) {
      const lease = book.get(id);
      if (lease?.role !== 'borrower' || lease.terms.resource !== 'storage') return;
      const hasSome = isMeteredOpen(lease) && borrower.heldBytes(id) > 0;
      await (hasSome ? borrower.prove(lease, signal) : borrower.tell(lease, signal)).catch((error: unknown) => {
        if (!PeerAiError.is(error)) throw error;
        logger.debug('storage-settle', { lease: id, code: error.code });
      });
    },
    async closed() {
      await looking;
    },
  };
}

async function* withFirst(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
