import {
  type Admission,
  type Change,
  type Claim,
  type Clock,
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Identity,
  PeerAiError,
  type PeerId,
  type Reservation,
  type Store,
  toHex,
  type Usage,
} from '@peerai/core-protocol';
import { decide, readTicketProof, type ShareFacts, ticketProof } from '@peerai/core-protocol/access';
import { pairingLease, type ReceiptBook } from '@peerai/ledger';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import { createMutex } from './mutex.ts';
import type { Share, Shares } from './shares.ts';

interface Reserved {
  readonly peer: PeerId;
  readonly requestId: string;
  readonly resource: string;
  readonly units: number;
  /** Share id, or nothing for a paired device. */
  readonly share?: string;
  readonly atMs: number;
}

interface Running extends Reserved {
  readonly revoke: AbortController;
}

export interface AdmissionDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly store: Store;
  readonly devices: Devices;
  readonly shares: Shares;
  readonly receipts: ReceiptBook;
  /** May paired devices ask this model? */
  readonly exposed: (model: string) => boolean;
  readonly changed: (share: Share) => void;
  /** A receipt got its second signature. */
  readonly signed: (receipt: Uint8Array) => void;
}

export interface PeerAdmission extends Admission {
  /** Tokens reserved and answers running under one share. */
  running(share: string): { readonly reserved: number; readonly active: number };
  /** Ends what runs under a stopped share or for a blocked peer. */
  revoke(who: { readonly share?: string; readonly peer?: PeerId }): void;
  /** Checks a guest's proof without reserving, and remembers the guest's key. Throws what `reserve` throws. */
  greet(peer: PeerId, grant: Uint8Array): Promise<Share>;
}

/**
 * Rights and budgets of other peers: reserve durably, work, settle.
 * What was reserved when the process died is given back at the next start: an answer that never ended is not charged.
 */
export async function openAdmission(deps: AdmissionDeps): Promise<PeerAdmission> {
  const room = deps.store.room('admission');
  const rows = records<Reserved>(room, 'reserved');
  const left: Change[] = [];
  for await (const [id] of rows.all()) left.push(rows.remove(id));
  if (left.length > 0) await room.commit(left);

  const running = new Map<string, Running>();
  const serial = createMutex();
  const runningOf = (share: string): { reserved: number; active: number } => {
    const mine = [...running.values()].filter((one) => one.share === share);
    return { reserved: mine.reduce((sum, one) => sum + one.units, 0), active: mine.length };
  };

  const judge = async (peer: PeerId, resource: string | undefined, units: number, grant: Uint8Array | undefined) => {
    const device = deps.devices.get(peer);
    const claimed = grant === undefined ? undefined : claimedShare(deps, peer, grant);
    const share = claimed?.share;
    const model = resource?.replace(/^model:/, '') ?? share?.models[0] ?? '';
    const verdict = decide({
      nowMs: deps.clock.nowMs(),
      peer,
      resource: `model:${model}`,
      units,
      ...(device === undefined ? {} : { pairing: { allow: deps.exposed(model) ? device.allow : [], blocked: device.blocked } }),
      ...(share === undefined ? {} : { share: shareFacts(share, runningOf(share.id)) }),
      proofValid: claimed?.valid ?? false,
      ticketPresented: grant !== undefined,
      owesReceipt: share !== undefined && (await owes(deps, peer, fromHex(share.id))),
    });
    if (!verdict.allowed) throw new PeerAiError(verdict.code, verdict.message, { model });
    return { verdict, share: verdict.via === 'share' ? share : undefined };
  };

  const see = (share: Share, peer: PeerId, tokens: number): Share => ({
    ...share,
    tokensUsed: share.tokensUsed + tokens,
    guests: {
      ...share.guests,
      [peer]: { tokensUsed: (share.guests[peer]?.tokensUsed ?? 0) + tokens, lastSeenMs: deps.clock.nowMs() },
    },
  });

  const reservation = (key: string, reserved: Running): Reservation => {
    const end = async (): Promise<void> => {
      if (!running.delete(key)) return;
      await room.commit([rows.remove(key)]);
    };
    return {
      units: reserved.units,
      revoked: reserved.revoke.signal,
      settle: (usage, workHash) =>
        serial(async () => {
          const share = reserved.share === undefined ? undefined : deps.shares.get(reserved.share);
          const used = usage.promptTokens + usage.answerTokens;
          const booked = share === undefined ? undefined : see(share, reserved.peer, used);
          const half = await deps.receipts.issue(
            {
              consumer: reserved.peer,
              lease: reserved.share === undefined ? pairingLease : fromHex(reserved.share),
              requestId: reserved.requestId,
              model: reserved.resource.replace(/^model:/, ''),
              usage: exact(usage),
              workHash,
            },
            [rows.remove(key), ...(booked === undefined ? [] : [deps.shares.change(booked)])],
          );
          running.delete(key);
          if (booked !== undefined) {
            deps.shares.adopt(booked);
            deps.changed(booked);
          }
          return half;
        }),
      async countersigned(receipt) {
        await deps.receipts.complete(receipt);
        deps.signed(receipt);
      },
      release: () => serial(end),
    };
  };

  return {
    running: runningOf,
    revoke(who) {
      for (const one of running.values()) {
        const error = new PeerAiError(who.peer === undefined ? 'TICKET_REVOKED' : 'PEER_BLOCKED', 'the owner took this right away');
        if (one.share === who.share && one.share !== undefined) one.revoke.abort(error);
        if (one.peer === who.peer) one.revoke.abort(error);
      }
    },
    greet: (peer, grant) =>
      serial(async () => {
        const { share } = await judge(peer, undefined, 1, grant);
        if (share === undefined) throw new PeerAiError('NOT_GRANTED', 'paired devices need no ticket');
        const seen = see(share, peer, 0);
        await deps.shares.save(seen);
        deps.changed(seen);
        return seen;
      }),
    reserve: ({ peer, requestId, resource, units, grant }: Claim) =>
      serial(async () => {
        const key = `${peer}/${requestId}`;
        const same = running.get(key);
        if (same !== undefined) return reservation(key, same);
        const { verdict, share } = await judge(peer, resource, units, grant);
        const reserved: Reserved = {
          peer,
          requestId,
          resource,
          units: verdict.units,
          ...(share === undefined ? {} : { share: share.id }),
          atMs: deps.clock.nowMs(),
        };
        const seen = share === undefined ? undefined : see(share, peer, 0);
        await (seen === undefined ? room.commit([rows.put(key, reserved)]) : deps.shares.save(seen, [rows.put(key, reserved)]));
        const started = { ...reserved, revoke: new AbortController() };
        running.set(key, started);
        if (seen !== undefined) deps.changed(seen);
        return reservation(key, started);
      }),
  };
}

/** A last signature may still be on its way: it gets a moment before the next answer is refused for it. */
async function owes({ receipts, clock }: AdmissionDeps, peer: PeerId, lease: Uint8Array): Promise<boolean> {
  if (!(await receipts.owes(peer, lease))) return false;
  await receipts.settled(peer, lease, clock.deadline(limits.signatureGraceMs)).catch(() => undefined);
  return receipts.owes(peer, lease);
}

function claimedShare(
  { crypto, shares, identity }: AdmissionDeps,
  peer: PeerId,
  grant: Uint8Array,
): { readonly share?: Share; readonly valid: boolean } {
  const { ticket, proof } = readTicketProof(grant);
  const share = shares.get(toHex(ticket));
  if (share === undefined) return { valid: false };
  return { share, valid: equalBytes(proof, ticketProof(crypto, fromHex(share.secret), ticket, identity.peer, peer)) };
}

function shareFacts(share: Share, { reserved, active }: { readonly reserved: number; readonly active: number }): ShareFacts {
  return {
    ticketId: fromHex(share.id),
    models: share.models,
    tokens: share.tokens,
    tokensUsed: share.tokensUsed,
    tokensReserved: reserved,
    expiresMs: share.expiresMs,
    revoked: share.stoppedMs !== undefined,
    guests: share.guestsMax,
    guestsSeen: Object.keys(share.guests) as PeerId[],
    concurrency: share.concurrency,
    active,
  };
}

/** Engines count in whole tokens; a receipt takes nothing else. */
function exact(usage: Usage): Usage {
  return { ...usage, promptTokens: Math.max(0, Math.round(usage.promptTokens)), answerTokens: Math.max(0, Math.round(usage.answerTokens)) };
}
