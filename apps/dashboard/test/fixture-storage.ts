import type { MeteredLeaseView, StorageFoundView, StorageView, StoredFileView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const study = { peerId: '12D3KooWStudy', peerName: 'study-pc' };
const mira = { peerId: '12D3KooWMira', peerName: 'mira-mac' };
const [ours, theirs] = ['e5'.repeat(32), 'f6'.repeat(32)];

export interface StorageState {
  offers: StorageFoundView;
  view: StorageView;
}

/** A file with another, whose last proof failed; and room that somebody has here. */
export function fixtureStorage(nowMs: number): StorageState {
  return {
    offers: {
      v: 1,
      offers: [{ ...study, unitPriceMicro: '1000', freeBytes: 8_000_000_000, minutesMax: 43_200 }],
    },
    view: {
      v: 1,
      offer: { unitPriceMicro: '2000', bytes: 10_000_000_000, freeBytes: 9_500_000_000, minutesMax: 43_200 },
      leases: [
        {
          lease: ours,
          role: 'borrower',
          ...study,
          state: 'active',
          bytesMax: 50_000_000,
          heldBytes: 6_200_416,
          proofs: 12,
          provenMs: nowMs - 180_000,
          failures: 1,
        },
        {
          lease: theirs,
          role: 'lender',
          ...mira,
          state: 'active',
          bytesMax: 500_000_000,
          heldBytes: 120_000_000,
          proofs: 40,
          provenMs: null,
          failures: 0,
        },
      ],
      files: [
        {
          id: 'ab'.repeat(16),
          lease: ours,
          ...study,
          name: 'photos.tar',
          bytes: 6_200_000,
          storedMs: nowMs - 7_200_000,
        },
      ],
    },
  };
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a file, its bytes. */
  readonly sentBytes: number;
}
/** Storage of the local API. @param leased - a lease as the market shows it. */
export function answerStorage(
  storage: StorageState,
  { method, path, query, sentBytes }: Asked,
  body: unknown,
  leased: (patch: Partial<MeteredLeaseView>) => MeteredLeaseView,
): unknown {
  const [, , , room, id = '', verb] = path.split('/');
  const set = (patch: Partial<StorageView>): void => void (storage.view = { ...storage.view, ...patch });
  const change = (patch: (one: StorageView['leases'][number]) => Partial<StorageView['leases'][number]>): void =>
    set({ leases: storage.view.leases.map((one) => (one.lease === id ? { ...one, ...patch(one) } : one)) });
  if (room === 'offers' && method === 'GET') return schemas.storageFoundSchema.parse(storage.offers);
  if (room === 'offers' && method === 'DELETE') set({ offer: null });
  if (room === 'offers' && method === 'POST') {
    const { bytes, credits, minutesMax } = schemas.storageOfferRequestSchema.parse(body);
    set({ offer: { bytes, freeBytes: bytes, unitPriceMicro: `${Number(credits) * 1_000_000}`, minutesMax } });
  }
  if (verb === 'prove') change(({ proofs }) => ({ proofs: proofs + 1, provenMs: Date.now(), failures: 0 }));
  if (verb === 'files') {
    const { leases, files } = storage.view;
    const { peerId = '', peerName = '' } = leases.find(({ lease }) => lease === id) ?? {};
    const who = { peerId, peerName };
    const name = query.get('name') ?? '';
    const file: StoredFileView = {
      id: 'cd'.repeat(16),
      lease: id,
      ...who,
      name,
      bytes: sentBytes,
      storedMs: Date.now(),
    };
    set({ files: [file, ...files] });
    change(({ heldBytes, proofs }) => ({ heldBytes: heldBytes + sentBytes + 16, proofs: proofs + 1 }));
    return schemas.storedFileDetailSchema.parse({ v: 1, file });
  }
  if (room === 'files' && method === 'DELETE') set({ files: storage.view.files.filter((file) => file.id !== id) });
  if (room === 'leases' && id === '') {
    const { bytes } = schemas.storageLeaseRequestSchema.parse(body);
    const fresh = { heldBytes: 0, proofs: 0, provenMs: null, failures: 0 };
    const lease = 'd7'.repeat(32);
    const begun = { lease, role: 'borrower', ...study, state: 'active', bytesMax: bytes, ...fresh } as const;
    set({ leases: [begun, ...storage.view.leases] });
    const money = leased({ id: lease, resource: 'storage', model: '', tokensMax: bytes, tokensUsed: 0, answers: 0 });
    return schemas.meteredLeaseDetailSchema.parse({ v: 1, lease: money });
  }
  return schemas.storageSchema.parse(storage.view);
}
