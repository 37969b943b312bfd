import {
  type Admission,
  type Change,
  type Claim,
  type Clock,
  equalBytes,
  fromHex,
  PeerAiError,
  type PeerId,
  type Reservation,
  type Store,
} from '@peerai/core-protocol';
import { type AccessVerdict, decide } from '@peerai/core-protocol/access';
import { readReceipt, type ReceiptBook } from '@peerai/ledger';
import type { PeerErrorCode } from '../errors.ts';
import { completeOnce } from '../ledger/complete-once.ts';
import { limits } from '../limits.ts';
import type { Device, Devices } from '../pairing/devices.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { isOpen, owes, owesTooMany, waitForSignature } from './debt.ts';
import { type ClaimDeps, claimedShare, seenBy, shareFacts, within } from './facts.ts';
import type { Share } from './shares.ts';

interface Reserved {
  readonly peer: PeerId;
  readonly requestId: string;
  readonly resource: string;
  readonly units: number;
  /** Share id, or nothing for a paired device. */
  readonly share?: string;
  /** Hex: the chain of its receipts, the share's id or the pairing's. */
  readonly lease: string;
  /** For a task: the right to give tasks pays for it, and its end ends it. */
  readonly task?: true;
  /** Under a lease: it lasts as long as that, whatever else the device may or may not. */
  readonly leased?: true;
  /** Asked with an API key: no receipt is made. */
  readonly byKey?: true;
  readonly atMs: number;
}

interface Running extends Reserved {
  readonly revoke: AbortController;
  settled?: { readonly workHash: Uint8Array; readonly half: Uint8Array };
}

export interface AdmissionDeps extends ClaimDeps {
  readonly clock: Clock;
  readonly store: Store;
  readonly devices: Devices;
  readonly receipts: ReceiptBook;
  /** For what it did it gets no answer now, whatever else it may. */
  readonly isRefused: (peer: PeerId) => boolean;
  /** May paired devices ask this model? */
  readonly exposed: (model: string) => boolean;
  /** Leases of models that other peers have here. */
  readonly leased: () => LeasedModels;
  readonly changed: (share: Share) => void;
  /** A receipt got its second signature. */
  readonly signed: (receipt: Uint8Array) => void;
}

export interface LeasedModels {
  /** The lease under which a peer may ask this model now: the chain of its receipts in hex, and tokens left. */
  usable(peer: PeerId, model: string): { readonly id: string; readonly left: number } | undefined;
  /** Whether there is such a lease, and its borrower has too many answers that it did not endorse. */
  isUnendorsed?(peer: PeerId, model: string): boolean;
  /** A half was given. */
  count(half: Uint8Array): void;
}

/** A claim of a task that a model does. */
interface AnyClaim extends Claim {
  readonly task?: true;
}

export interface PeerAdmission extends Admission {
  /** The same for a task of a paired device, under its right to give tasks. */
  reserveTask(claim: Claim): Promise<Reservation>;
  /** Tokens reserved and answers running under one share. */
  running(share: string): { readonly reserved: number; readonly active: number };
  /** Ends what runs under a stopped share, or for a peer whose rights as a device have just changed. */
  revoke(who: { readonly share: string } | { readonly peer: PeerId }): void;
  /** Checks a guest's proof without reserving, and remembers the guest's key. Throws what `reserve` throws, but TOO_MANY. */
  greet(peer: PeerId, grant: Uint8Array): Promise<Share>;
}

/**
 * Rights and budgets of other peers: reserve durably, work, settle.
 * What was reserved when the process died is given back at the next start: an answer that never ended is not charged.
 */
export async function openAdmission(deps: AdmissionDeps): Promise<PeerAdmission> {
  const room = deps.store.room('admission');
  const rows = records<Reserved>(room, 'reserved');
  const left = [];
  for await (const [id] of rows.all()) left.push(rows.remove(id));
  if (left.length > 0) await room.commit(left);

  const running = new Map<string, Running>();
  const serial = createMutex();
  const runningOf = (share: string): { reserved: number; active: number } => {
    const mine = [...running.values()].filter((one) => one.share === share);
    return { reserved: mine.reduce((sum, one) => sum + one.units, 0), active: mine.length };
  };

  const pairedRunning = (peer: PeerId): number =>
    [...running.values()].filter((one) => one.peer === peer && one.share === undefined).length;

  /** Tokens that answers hold which run now under a lease. */
  const heldUnder = (lease: string): number =>
    [...running.values()].reduce((sum, one) => sum + (one.lease === lease ? one.units : 0), 0);

  /** Reads first what takes a wait, then decides over facts of one moment. */
  const judge = async ({
    peer,
    requestId,
    resource,
    units,
    grant,
    task,
  }: Pick<AnyClaim, 'peer' | 'units' | 'grant' | 'task'> & {
    readonly requestId?: string;
    readonly resource?: string;
  }) => {
    if (deps.isRefused(peer)) throw new PeerAiError('PEER_BLOCKED', 'this peer refuses you for a while');
    const claimed = grant === undefined ? undefined : claimedShare(deps, peer, grant);
    const owesReceipt =
      claimed?.share !== undefined && !claimed.byKey && (await owes(deps, peer, fromHex(claimed.share.id)));
    const asked = resource?.replace(/^model:/, '');
    const bought = asked === undefined || task === true ? undefined : deps.leased().usable(peer, asked);
    const paired = deps.devices.get(peer);
    const pairedChain = bought?.id ?? paired?.lease;
    const owesTooMuch =
      pairedChain !== undefined && (await owesTooMany(deps, peer, fromHex(pairedChain), pairedRunning(peer)));
    const share = claimed?.share === undefined ? undefined : deps.shares.get(claimed.share.id);
    const device = deps.devices.get(peer);
    const model = resource?.replace(/^model:/, '') ?? share?.models[0] ?? '';
    const held = resource === undefined || share === undefined ? { reserved: 0, active: 0 } : runningOf(share.id);
    const verdict = decide({
      nowMs: deps.clock.nowMs(),
      peer,
      resource: `model:${model}`,
      units,
      ...(device === undefined
        ? {}
        : { pairing: { allow: allowedOf(device, deps.exposed(model), task, bought), blocked: device.blocked } }),
      ...(share === undefined ? {} : { share: shareFacts(share, held) }),
      proofValid: claimed?.valid ?? false,
      ticketPresented: grant !== undefined,
      owesReceipt,
    });
    const isHeld = !verdict.allowed && asked !== undefined && bought === undefined;
    if (isHeld && deps.leased().isUnendorsed?.(peer, asked) === true)
      throw new PeerAiError<PeerErrorCode>(
        'ANSWERS_UNENDORSED',
        'endorse your last answers under this lease for the contract first',
        { model },
      );
    if (!verdict.allowed) throw new PeerAiError(verdict.code, verdict.message, { model });
    if (verdict.via === 'pairing' && owesTooMuch) {
      throw new PeerAiError('RECEIPT_UNSIGNED', 'countersign the receipts of your last answers first', { model });
    }
    const isBought = verdict.via === 'pairing' && bought !== undefined;
    const left = isBought ? bought.left - heldUnder(bought.id) : verdict.units;
    if (left <= 0) throw new PeerAiError('BUDGET_SPENT', 'the tokens of this lease are used up; lease more', { model });
    const lease = isBought ? bought.id : verdict.via === 'pairing' ? device?.lease : share?.id;
    if (lease === undefined) throw new PeerAiError('NOT_GRANTED', 'this right is gone', { model });
    if (requestId !== undefined && (await isOpen(deps, peer, fromHex(lease), requestId))) {
      throw new PeerAiError('REFUSED', 'the receipt of this request waits for your signature');
    }
    const granted = isBought ? { ...verdict, units: Math.min(verdict.units, left) } : verdict;
    return { lease, leased: isBought, ...allowed(granted, share, claimed?.byKey === true) };
  };

  const giveBack = async (key: string, entry: Running): Promise<void> => {
    if (running.get(key) !== entry) return;
    running.delete(key);
    const share = entry.share === undefined ? undefined : deps.shares.get(entry.share);
    if (share !== undefined) deps.changed(share);
    await room.commit([rows.remove(key)]);
  };

  const settle = async (
    key: string,
    entry: Running,
    ...[usage, workHash]: Parameters<Reservation['settle']>
  ): Promise<Uint8Array> => {
    if (entry.settled !== undefined && equalBytes(entry.settled.workHash, workHash)) return entry.settled.half;
    if (running.get(key) !== entry) throw new PeerAiError('REFUSED', 'this request has ended already');
    const { peer, requestId, resource, units } = entry;
    const lease = fromHex(entry.lease);
    const open = (await deps.receipts.unsigned(peer, lease)).find((half) => readReceipt(half).requestId === requestId);
    if (open !== undefined) {
      await giveBack(key, entry);
      if (equalBytes(readReceipt(open).workHash, workHash)) return open;
      throw new PeerAiError('REFUSED', 'another answer has this request id');
    }
    const booked = within(usage, units);
    const facts = { consumer: peer, lease, requestId, model: resource.replace(/^model:/, ''), usage: booked, workHash };
    let half: Uint8Array = new Uint8Array();
    const book = async (...changes: readonly Change[]): Promise<void> => {
      if (entry.byKey === true) await room.commit([rows.remove(key), ...changes]);
      else {
        half = await deps.receipts.issue(facts, [rows.remove(key), ...changes]);
        deps.leased().count(half);
      }
    };
    const known = entry.share === undefined ? undefined : deps.shares.get(entry.share);
    if (known === undefined) {
      await book();
    } else {
      const used = booked.promptTokens + booked.answerTokens;
      await deps.shares.update(known.id, (share) => seenBy(share, peer, used, deps.clock.nowMs()), book);
    }
    running.delete(key);
    entry.settled = { workHash, half };
    const share = known === undefined ? undefined : deps.shares.get(known.id);
    if (share !== undefined) deps.changed(share);
    return half;
  };

  const reservation = (key: string, entry: Running): Reservation => ({
    units: entry.units,
    revoked: entry.revoke.signal,
    settle: (usage, workHash) => serial(() => settle(key, entry, usage, workHash)),
    async countersigned(receipt) {
      if (await completeOnce(deps.receipts, receipt)) deps.signed(receipt);
    },
    release: () => serial(() => giveBack(key, entry)),
  });

  /** @param decided - hears of the reservation when it holds here, before it is on disk. */
  const reserve = async (
    { peer, requestId, resource, units, grant, task }: AnyClaim,
    decided?: (reservation: Reservation) => void,
  ): Promise<Reservation> => {
    const key = `${peer}/${requestId}`;
    // Whoever resends is joined to its running request before it comes here: a second one of the same id would share its rights.
    if (running.has(key)) throw new PeerAiError('REFUSED', 'a request of this id is running already');
    const about = { ...(grant === undefined ? {} : { grant }), ...(task === true ? { task } : {}) };
    const judged = await judge({ peer, requestId, resource, units, ...about });
    const { share, units: granted } = judged;
    const reserved: Reserved = {
      peer,
      requestId,
      resource,
      units: granted,
      lease: judged.lease,
      ...(share === undefined ? {} : { share: share.id }),
      ...(task === true ? { task } : {}),
      ...(judged.leased ? { leased: true as const } : {}),
      ...(judged.byKey === true ? { byKey: true as const } : {}),
      atMs: deps.clock.nowMs(),
    };
    const entry: Running = { ...reserved, revoke: new AbortController() };
    // Before the commit: a right that is taken away while the disk writes ends this answer too.
    running.set(key, entry);
    decided?.(reservation(key, entry));
    try {
      const row = rows.put(key, reserved);
      if (share === undefined) await room.commit([row]);
      else {
        const seen = (now: Share): Share => seenBy(now, peer, 0, deps.clock.nowMs());
        deps.changed(await deps.shares.update(share.id, seen, (change) => room.commit([change, row])));
      }
    } catch (error) {
      running.delete(key);
      throw error;
    }
    return reservation(key, entry);
  };

  return {
    running: runningOf,
    revoke(who) {
      for (const entry of running.values()) {
        const code = revokedBy(deps, entry, who);
        if (code !== undefined) entry.revoke.abort(new PeerAiError(code, 'the owner took this right away'));
      }
    },
    async greet(peer, grant) {
      await waitForSignature(deps, peer, grant);
      return serial(async () => {
        const { share } = await judge({ peer, units: 1, grant });
        if (share === undefined) throw new PeerAiError('NOT_GRANTED', 'paired devices need no ticket');
        const lastMs = share.guests[peer]?.lastSeenMs ?? 0;
        if (deps.clock.nowMs() - lastMs < limits.guestSeenEveryMs) return share;
        const seen = await deps.shares.update(share.id, (now) => seenBy(now, peer, 0, deps.clock.nowMs()));
        deps.changed(seen);
        return seen;
      });
    },
    reserveTask: (claim) => serial(() => reserve({ ...claim, task: true })),
    async reserve(claim) {
      await waitForSignature(deps, claim.peer, claim.grant);
      if (claim.early !== true) return serial(() => reserve(claim));
      const decided = Promise.withResolvers<Reservation>();
      const kept = serial(() => reserve(claim, decided.resolve));
      kept.catch(decided.reject);
      const durable = kept.then(() => undefined);
      durable.catch(() => undefined);
      return { ...(await decided.promise), durable };
    },
  };
}

/** A lease of a model is the right to ask it, chat or not. */
const allowedOf = (
  device: Pick<Device, 'allow'>,
  isExposed: boolean,
  task: true | undefined,
  bought: object | undefined,
): readonly string[] => (bought !== undefined ? ['chat'] : isExposed ? rightsOf(device, task) : []);

/** Who may give tasks may have models do them, chat or not. */
const rightsOf = ({ allow }: Pick<Device, 'allow'>, task: true | undefined): readonly string[] =>
  task === true ? (allow.includes('tasks') ? ['chat'] : []) : allow;

function allowed(
  verdict: Extract<AccessVerdict, { allowed: true }>,
  share: Share | undefined,
  byKey: boolean,
): { readonly units: number; readonly share?: Share; readonly byKey?: true } {
  if (verdict.via !== 'share' || share === undefined) return { units: verdict.units };
  return { units: verdict.units, share, ...(byKey ? { byKey } : {}) };
}

/** Why this answer has to end, if it has to. A device keeps what it leased, one that lost its place what a share link gives it; a blocked one keeps nothing. */
function revokedBy(
  { devices, isRefused }: Pick<AdmissionDeps, 'devices' | 'isRefused'>,
  entry: Reserved,
  who: { readonly share: string } | { readonly peer: PeerId },
): string | undefined {
  if ('share' in who) return entry.share === who.share ? 'TICKET_REVOKED' : undefined;
  if (entry.peer !== who.peer) return undefined;
  if (devices.isBlocked(who.peer) || isRefused(who.peer)) return 'PEER_BLOCKED';
  if (entry.leased === true && devices.get(who.peer) !== undefined) return undefined;
  if (entry.task === true && devices.get(who.peer)?.allow.includes('tasks') === true) return undefined;
  return entry.share === undefined ? 'NOT_GRANTED' : undefined;
}
