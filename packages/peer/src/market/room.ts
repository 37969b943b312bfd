import { callMethod, type EntryBody, fromHex, PeerAiError, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import type { LeaseAccount } from '@peerai/ledger/lease';
import { leaseLimits } from '@peerai/ledger/lease';
import {
  type Between,
  createLocalSettlement,
  encodeEvidence,
  isMeteredOpen,
  leaseEndEntry,
  meteredLeaseEntry,
  type MeteredBook,
  type MeteredRecord,
  openMeteredBook,
  storageReceiptEntry,
} from '@peerai/ledger/market';
import { readReceipt, receiptEntry } from '@peerai/ledger';
import type { PeerErrorCode } from '../errors.ts';
import { microOf } from '../lending/offer.ts';
import { leaseNamed } from '../lending/lease-named.ts';
import { falseAnswersOf } from '../storage/false-answers.ts';
import { plainStorageQuestion, storageMethod } from '../storage/storage-protocol.ts';
import { createDesk } from './desk.ts';
import { escrowedMetered } from './escrowed-lease.ts';
import { createEscrows, type Escrows } from './escrows.ts';
import { peerMarketLimits as limits } from './limits.ts';
import type { MarketDeps, PeerMarket } from './market.ts';
import type { DisputeDetail, MarketOffersView, MarketView, MeteredLeaseDetail } from './market.schema.ts';
import { type MarketAnswer, marketMethod, type MarketQuestion } from './market-protocol.ts';
import { accountOf } from '../settlement/settlement.ts';
import { openOffers } from './offers.ts';
import { findOffers } from './find.ts';
import { refusedReceipts } from './refused-receipts.ts';
import { createVerdicts, leaseOfEnd } from './verdicts.ts';
import { balanceView, meteredView, offerView, sumOf, unitSentence } from './views.ts';

/** What the market does once it is used. */
export interface MarketRoom extends Omit<
  PeerMarket,
  'leased' | 'besides' | 'settlement' | 'storage' | 'start' | 'stop'
> {
  answer(peer: PeerId, question: MarketQuestion): Promise<MarketAnswer>;
  chains(provider: PeerId): readonly string[];
  covers(half: Uint8Array): boolean;
  isLease(lease: Uint8Array): boolean;
  /** Keeps a half that this peer would not sign, where it is evidence. */
  refused(half: Uint8Array): Promise<void>;
  count(receipt: Uint8Array): void;
  usable(peer: PeerId, model: string): { readonly id: string; readonly left: number } | undefined;
  isUnendorsed(peer: PeerId, model: string): boolean;
  account(peer: PeerId): LeaseAccount;
  readonly storage: StorageParts;
  closed(): Promise<void>;
}

/** What leases of storage share with those of models: one book, one limit, one way to end. */
export interface StorageParts {
  readonly book: MeteredBook;
  readonly escrows: Escrows;
  /** Of what a receipt was signed for: what goes on beside it where the lease is settled. */
  readonly counted: (lease: MeteredRecord) => void;
  /** A receipt of it that this side did not sign. */
  readonly refused: (lease: MeteredRecord, receipt: Uint8Array) => Promise<void>;
  readonly isCovered: (lease: string) => boolean;
  readonly changed: (lease: MeteredRecord) => MeteredRecord;
  /** The lender's yes to what this side has signed. */
  begin(lease: MeteredRecord, signal: AbortSignal): Promise<MeteredLeaseDetail>;
  dispute(id: string, reason: string, signal: AbortSignal): Promise<DisputeDetail>;
}

/** Codes after which the other side may have taken what it was sent. */
const unsure = ['PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT', 'ABORTED'] as const;

export async function openMarketRoom(
  deps: MarketDeps &
    Pick<PeerMarket, 'settlement'> & {
      /** Of storage: the last proof, and the lender's copy of it. Never throws. */
      readonly beforeEnd: (lease: string, signal: AbortSignal) => Promise<void>;
      readonly storageOffers: (signal: AbortSignal) => Promise<MarketOffersView['storage']>;
    },
): Promise<MarketRoom> {
  const { clock, devices, events, nameOf, logger, stopping, accounts, crypto } = deps;
  const store = deps.store.room('market');
  const offers = await openOffers(store);
  const refused = refusedReceipts(crypto, deps.store.room('refused').room('metered'));
  const paid = (peer: PeerId): Between => deps.settlement.paid(peer);
  const nodesBetween = async (peer: PeerId): Promise<Between> =>
    sumOf((await nodeBalances()).get(peer) ?? nothing, paid(peer));
  const { ledger, receipts } = accounts;
  const book = await openMeteredBook({
    ...deps,
    store: deps.store.room('metered'),
    ledger,
    receipts,
    besides: nodesBetween,
  });
  const settlement = createLocalSettlement({ store: deps.store.room('settlement'), ledger, crypto, clock });
  const local = createEscrows({ settlement, clock, logger });
  const running = new Set<Promise<unknown>>();
  const quiet = (task: Promise<unknown>): void => {
    const one = task
      .catch((error: unknown) => logger.debug('market', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }))
      .finally(() => running.delete(one));
    running.add(one);
  };
  const changed = (lease: MeteredRecord): MeteredRecord => {
    events.emit({ type: 'market-changed', lease: meteredView(lease, nameOf) });
    watch();
    return lease;
  };
  const chain = await deps.settlement.room();
  const found = (id: string): MeteredRecord | undefined => book.get(id);
  const onChain = chain?.escrows.of('metered', {
    local,
    find: (id) => withFound(found(id), escrowedMetered),
    changed: (id) => withFound(found(id), changed),
    // An answer's receipt comes back on a way of its own; that of stored bytes may not.
    took: async (id, receipt) => {
      if (found(id)?.terms.resource === 'storage') changed(await book.receipt(receipt));
    },
  });
  // What lies there for leases of nodes is seen through once their book is open.
  if (chain?.deposits().some(({ of }) => of === 'node') === true) await deps.nodeLending.list();
  const escrows: Escrows = onChain ?? local;
  const isDevice = (peer: PeerId): boolean => devices.get(peer) !== undefined;
  const verdicts = createVerdicts({ ...deps, self: deps.identity.peer, nowMs: () => clock.nowMs(), isDevice });
  const heard = async (end: Uint8Array): Promise<void> => {
    const lease = book.get(leaseOfEnd(crypto, end) ?? '');
    if (lease !== undefined) verdicts.heard(lease, end, await documentsOf(lease));
  };
  const desk = createDesk({ ...deps, book, offers, escrows, changed, heard });

  let watching = false;
  const isWaiting = (lease: MeteredRecord): boolean =>
    isMeteredOpen(lease) || (lease.endedMs ?? 0) + limits.graceMs * 2 > clock.nowMs();
  /** Looks at time while there is a lease that it may end, or whose escrow it may free. */
  const watch = (): void => {
    if (watching || stopping.aborted || !book.list().some(isWaiting)) return;
    watching = true;
    const looking = async (): Promise<void> => {
      try {
        while (book.list().some(isWaiting)) {
          await clock.sleep(limits.lookMs, stopping);
          for (const lease of await book.expire()) changed(lease);
          await escrows.look(
            book
              .list()
              .filter((lease) => !isMeteredOpen(lease))
              .map(escrowedMetered),
            stopping,
          );
        }
      } finally {
        watching = false;
      }
    };
    quiet(looking());
  };
  const nodeBalances = async (): Promise<Map<PeerId, Between>> => {
    const { accounts: found } = await deps.nodeLending.list();
    return new Map(
      found.map((one) => [
        one.peerId as PeerId,
        {
          owes: BigInt(one.paidMicro) - BigInt(one.earnedMicro),
          lockedByUs: BigInt(one.lockedByUsMicro),
          lockedByThem: BigInt(one.lockedByThemMicro),
        },
      ]),
    );
  };
  const find = (text: string): MeteredRecord => leaseNamed(book.list(), text);
  const ask = async (
    peer: PeerId,
    kind: MarketQuestion['kind'],
    document: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<MarketAnswer> => {
    const addresses = devices.get(peer)?.addresses ?? [];
    return callMethod(deps, peer, marketMethod, { kind, document }, { signal, addresses });
  };
  const askForYes = async (
    { peer, lease, terms }: MeteredRecord,
    signal: AbortSignal,
  ): Promise<{ readonly document: Uint8Array | undefined }> => {
    if (terms.resource === 'model') return ask(peer, 'lease', lease, signal);
    const addresses = devices.get(peer)?.addresses ?? [];
    const question = { ...plainStorageQuestion, kind: 'lease', document: lease } as const;
    return callMethod(deps, peer, storageMethod, question, { signal, addresses });
  };
  const view = async (): Promise<MarketView> => {
    const nodes = await nodeBalances();
    const peers = new Set([...nodes.keys(), ...book.list().map(({ peer }) => peer)]);
    return {
      v: 1,
      unit: unitSentence,
      mostMicro: `${leaseLimits.exposureMicroMax}`,
      settlement: deps.chain?.settles === true ? 'evm' : 'local',
      offers: offers.list().map(offerView),
      leases: book
        .list()
        .map((lease) => meteredView(lease, nameOf))
        .toReversed(),
      balances: [...peers].map((peer) =>
        balanceView(peer, sumOf(sumOf(nodes.get(peer) ?? nothing, paid(peer)), book.between(peer)), nameOf),
      ),
      deposits: chain?.deposits() ?? [],
    };
  };
  const detail = (lease: MeteredRecord) => ({ v: 1 as const, lease: meteredView(lease, nameOf) });
  /** The lender's yes to what this side has signed. */
  const begin = async (lease: MeteredRecord, signal: AbortSignal): Promise<MeteredRecord> => {
    try {
      await escrows.open(escrowedMetered(lease), signal);
      const { document } = await askForYes(lease, signal);
      if (document === undefined) throw new PeerAiError('INVALID_FORMAT', 'the lender’s signature is missing');
      return changed(await book.accepted(document));
    } catch (error) {
      if (!PeerAiError.is(error, ...unsure)) await book.dropped(lease.id);
      throw error;
    }
  };
  const end = async (lease: MeteredRecord, signal: AbortSignal): Promise<MeteredRecord> => {
    if (lease.terms.resource === 'storage') await deps.beforeEnd(lease.id, signal);
    else if (lease.role === 'borrower') {
      const addresses = devices.get(lease.peer)?.addresses ?? [];
      await accounts.signing.catchUp(lease.peer, fromHex(lease.id), { signal, addresses });
    }
    const { document } = await ask(lease.peer, 'end', book.endHalf(lease.id), signal);
    if (document === undefined) throw new PeerAiError('INVALID_FORMAT', 'the other side’s signature is missing');
    const over = changed(await book.agreed(document));
    await escrows.close(escrowedMetered(over), signal);
    return over;
  };
  /** A lease with its newest receipts out of our own log. */
  const documentsOf = async (lease: MeteredRecord): Promise<readonly EntryBody[]> => {
    const end = [...(await refused.of(lease.id)), ...(lease.end === undefined ? [] : [leaseEndEntry(lease.end)])];
    if (lease.terms.resource === 'storage') {
      const newest = lease.receipt === undefined ? [] : [storageReceiptEntry(lease.receipt)];
      const answers = await falseAnswersOf(deps.store.room('storage').room('borrowed'), lease.id);
      return [meteredLeaseEntry(lease.lease), ...newest, ...answers, ...end];
    }
    const { receipts: found } = await receipts.list({ peer: lease.peer, limit: limits.evidenceReceiptsMax });
    const own = found.filter(({ receipt }) => toHex(receipt.lease) === lease.id).map(({ bytes }) => bytes);
    // All that are newer may be of other leases.
    if (own.length === 0 && lease.receipt !== undefined) own.push(lease.receipt);
    return [meteredLeaseEntry(lease.lease), ...own.map(receiptEntry), ...end];
  };
  const keepRefused = async (lease: MeteredRecord, receipt: Uint8Array): Promise<void> => {
    const { resource: of, lender } = lease.terms;
    await refused.keep(lease.id, { of, lender, receipt }, await documentsOf(lease));
  };
  const evidenceOf = async (lease: MeteredRecord, reason: string): Promise<string> =>
    encodeEvidence({ lease: lease.id, reason, documents: await documentsOf(lease) });
  const again = async (lease: MeteredRecord): Promise<void> => {
    if (lease.state === 'offered') await begin(lease, stopping);
    else if (lease.state === 'disputed') await ask(lease.peer, 'dispute', lease.end, stopping);
    else await end(lease, stopping);
  };
  const dispute: MarketRoom['dispute'] = async (text, reason, signal) => {
    const lease = find(text);
    const evidence = await evidenceOf(lease, reason);
    const disputed = changed(await book.dispute(lease.id, crypto.sha256(utf8(evidence))));
    await escrows.close(escrowedMetered(disputed), signal);
    // The other hears of it now, or when it is here again.
    quiet(ask(lease.peer, 'dispute', disputed.end, stopping));
    return { ...detail(disputed), evidence };
  };
  const beginning = async (lease: MeteredRecord, signal: AbortSignal) => detail(await begin(lease, signal));
  watch();
  return {
    view,
    dispute,
    storage: {
      book,
      escrows,
      changed,
      dispute,
      begin: beginning,
      refused: keepRefused,
      counted: (lease) => onChain?.counted(escrowedMetered(lease)),
      isCovered: (id) => onChain?.isCovered(id) !== false,
    },
    offers: (signal, question) => findOffers({ ...deps, ask }, signal, question),
    async offer({ model, credits, tokensMax, minutesMax }) {
      const takesWords = deps.local.list().some(({ card }) => card.name === model);
      if (!takesWords && (await deps.imported.list()).models.every(({ name }) => name !== model))
        throw new PeerAiError<PeerErrorCode>('MODEL_UNKNOWN', `no engine here has a model "${model}"`);
      await offers.put({ model, unitPrice: microOf(credits), tokensMax, minutesMax });
      return view();
    },
    async withdraw(model) {
      if (!(await offers.remove(model)))
        throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', `"${model}" is not offered here`);
      return view();
    },
    async lease(wish, signal) {
      const device = devices.find(wish.peer);
      const { offers: said } = await ask(device.peer, 'offers', undefined, signal);
      const offer = said.find(({ model }) => model === wish.model);
      if (offer === undefined)
        throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', `${device.name} does not offer "${wish.model}"`);
      if (wish.creditsMax !== undefined && offer.unitPrice > microOf(wish.creditsMax))
        throw new PeerAiError<PeerErrorCode>('PRICE_TOO_HIGH', `${device.name} asks more than that`, {
          unitPriceMicro: `${offer.unitPrice}`,
        });
      const what = { resource: 'model', subject: wish.model, unitPrice: offer.unitPrice } as const;
      const signed = await book.offer({ lender: device.peer, ...what, unitsMax: wish.tokens, minutes: wish.minutes });
      const lease = await begin(changed(signed), signal);
      void deps.models.learn(device.peer, stopping);
      return detail(lease);
    },
    settle: async (text, signal) => detail(await end(find(text), signal)),
    evidence: async (text, reason) => ({ v: 1, evidence: await evidenceOf(find(text), reason) }),
    judge: async (evidence) => verdicts.judge(evidence),
    answer: (peer, question) => desk.answer(peer, question),
    chains: (provider) =>
      book.list().flatMap((lease) => {
        const isRunning = lease.state !== 'offered' && lease.state !== 'disputed' && !lease.agreed;
        return lease.peer === provider && lease.role === 'borrower' && isRunning && isWaiting(lease) ? [lease.id] : [];
      }),
    covers: (half) => book.covers(half),
    async refused(half) {
      const lease = book.get(toHex(readReceipt(half).lease));
      if (lease?.role === 'borrower') await keepRefused(lease, half);
    },
    isLease: (lease) => book.get(toHex(lease)) !== undefined,
    count(receipt) {
      const before = book.list().length === 0 ? undefined : book.count(receipt);
      if (before === undefined) return;
      changed(before);
      onChain?.counted(escrowedMetered(before));
    },
    isUnendorsed(peer, model) {
      const found = book.usable(peer, model);
      return found !== undefined && onChain?.isCovered(found.id) === false;
    },
    usable(peer, model) {
      const found = book.usable(peer, model);
      return found === undefined || onChain?.isCovered(found.id) === false ? undefined : found;
    },
    account: (peer) => accountOf(sumOf(book.between(peer), paid(peer))),
    met(peer) {
      for (const lease of book.list()) {
        const isOwed = lease.state === 'offered' ? lease.role === 'borrower' : !isMeteredOpen(lease) && !lease.agreed;
        if (lease.peer === peer && isOwed && isRecent(lease)) quiet(again(lease));
      }
    },
    async closed() {
      await Promise.all(running);
    },
  };

  function isRecent({ sinceMs, endedMs }: MeteredRecord): boolean {
    return clock.nowMs() - (endedMs ?? sinceMs) < limits.lastWordsMs;
  }
}

const withFound = <T, R>(found: T | undefined, use: (found: T) => R): R | undefined =>
  found === undefined ? undefined : use(found);
const nothing: Between = { owes: 0n, lockedByUs: 0n, lockedByThem: 0n };
