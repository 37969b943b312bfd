import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId, utf8, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { betweenTwo } from '../lease/between-two.ts';
import { leaseLimits } from '../lease/limits.ts';
import { readTwice } from '../lease/signed-twice.ts';
import { roundedUp } from '../lease/terms.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { marketLimits as limits } from './limits.ts';

/** What is metered: tokens of a model's prompts and answers, or bytes that are held. Nodes have a lease of their own (`@peerai/ledger/lease`). */
export type MeteredResource = 'model' | 'storage';

/** What two peers agree on before one answers or keeps bytes for the other. */
export interface MeteredTerms {
  readonly version: 1;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  readonly resource: MeteredResource;
  /** The model's name; empty for storage. */
  readonly subject: string;
  /** Micro-credits for 1,000 tokens, or for a MiB and an hour. */
  readonly unitPrice: bigint;
  /** The most it covers: tokens, or bytes at once. */
  readonly unitsMax: number;
  readonly minutes: number;
  /** The borrower's wall clock. */
  readonly startMs: number;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}
export interface OpenedMeteredLease {
  readonly terms: MeteredTerms;
  /** SHA-256 of the bytes that are signed; of a model's lease it names the chain of its usage receipts too. */
  readonly id: Uint8Array;
  readonly signedBy: 'borrower' | 'both';
}

export const meteredLeaseKind = 'metered-lease';
const tokensPerUnit = 1_000n;
const msPerMinute = 60_000;
/** A MiB for an hour, in bytes and milliseconds. */
const byteMsPerUnit = 1_048_576n * 3_600_000n;

const bodyCodec = wire.message({
  version: wire.uint32(1),
  lender: wire.bytes(2),
  borrower: wire.bytes(3),
  resource: wire.oneOf(4, ['model', 'storage']),
  subject: wire.string(5),
  unitPrice: wire.uint64(6),
  unitsMax: wire.uint53(7),
  minutes: wire.uint32(8),
  startMs: wire.uint53(9),
  nonce: wire.bytes(10),
});

const form = betweenTwo<MeteredTerms, 'borrower'>({
  first: 'borrower',
  name: 'lease',
  tag: 'peerai/metered-lease/1',
  bytesMax: limits.documentBytesMax,
  body: bodyCodec,
  check: checkTerms,
});

/** The borrower's half. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export const offerMetered = ({ identity }: Pick<SignerDeps, 'identity'>, terms: MeteredTerms): Uint8Array =>
  form.begin(identity, terms);

/** The lender's signature under the same bytes. Throws what `openMetered` throws. */
export function acceptMetered({ crypto, identity }: SignerDeps, half: Uint8Array): Uint8Array {
  if (openMetered(crypto, half).terms.lender !== identity.peer)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'this lease was offered to somebody else');
  return form.complete(identity, half);
}

/** With every signature it carries checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openMetered(crypto: CryptoProvider, bytes: Uint8Array): OpenedMeteredLease {
  const { statement: terms, signedBy } = form.open(crypto, bytes);
  return { terms, id: crypto.sha256(readTwice(bytes, limits.documentBytesMax).body), signedBy };
}

/** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export const readMetered = (bytes: Uint8Array): MeteredTerms => form.read(bytes);

/** A lease with both signatures as an entry of either side's log. */
export const meteredLeaseEntry = (full: Uint8Array): EntryBody => ({ kind: meteredLeaseKind, body: full });

export const meteredMs = ({ minutes }: Pick<MeteredTerms, 'minutes'>): number => minutes * msPerMinute;

type Priced = Pick<MeteredTerms, 'resource' | 'unitPrice' | 'unitsMax' | 'minutes'>;

/** The most a lease may cost, micro-credits: what is locked for it. */
export function meteredPrice({ resource, unitPrice, unitsMax, minutes }: Priced): bigint {
  if (resource === 'model') return tokensDue(unitPrice, BigInt(unitsMax));
  return byteMsDue(unitPrice, BigInt(unitsMax) * BigInt(minutes) * BigInt(msPerMinute));
}

/**
 * What so much use costs, rounded up to a whole micro-credit and never more than the price.
 *
 * @param used - tokens of a model; of storage the bytes that were held, each times the milliseconds it was held.
 */
export function meteredDue(terms: Priced, used: bigint): bigint {
  const due = terms.resource === 'model' ? tokensDue(terms.unitPrice, used) : byteMsDue(terms.unitPrice, used);
  const price = meteredPrice(terms);
  return due < price ? due : price;
}

const tokensDue = (unitPrice: bigint, tokens: bigint): bigint => roundedUp(unitPrice * tokens, tokensPerUnit);
const byteMsDue = (unitPrice: bigint, byteMs: bigint): bigint => roundedUp(unitPrice * byteMs, byteMsPerUnit);

function checkTerms({ lender, borrower, resource, subject, unitPrice, unitsMax, minutes, nonce }: MeteredTerms): void {
  if (lender === borrower) throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'nobody leases from himself');
  const isNamed = resource === 'model' ? subject !== '' : subject === '';
  if (!isNamed || unitsMax === 0 || minutes === 0 || nonce.length !== leaseLimits.nonceBytes)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the lease has an impossible value');
  const most = resource === 'model' ? limits.tokensMax : limits.storedBytesMax;
  const isTooMuch = unitsMax > most || minutes > limits.minutesMax || unitPrice > limits.unitMicroMax;
  if (isTooMuch || utf8(subject).length > limits.subjectBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'a field of the lease is over its limit');
}
