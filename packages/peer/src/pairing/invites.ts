import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Identity,
  limits as coreLimits,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { encodeTicket, inviteLink, readTicketProof, ticketProof } from '@peerai/core-protocol/access';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import type { InviteView } from './pairing.schema.ts';
import type { Permission } from './permissions.ts';

interface InviteRow {
  readonly id: string;
  readonly secret: string;
  readonly link: string;
  readonly expiresMs: number;
  readonly allow: readonly Permission[];
  /** Who took it, and when. */
  readonly taken?: { readonly by: PeerId; readonly atMs: number };
}
export interface TakenInvite {
  readonly id: string;
  readonly secret: Uint8Array;
  readonly allow: readonly Permission[];
  readonly takenMs: number;
}

export interface InviteDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly store: Store;
}

/** Single-use links of ten minutes that let one device in. */
export interface Invites {
  create(offer: {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly allow: readonly Permission[];
  }): Promise<Omit<InviteView, 'v'>>;
  open(): readonly Omit<InviteView, 'v'>[];
  /**
   * Takes the invite this proof was made with: from then on it is used, also after a crash, and only the same joiner may come back with it,
   * whose link broke while people compared emoji. Throws INVITE_INVALID, INVITE_EXPIRED, INVITE_USED.
   */
  take(grant: Uint8Array, joiner: PeerId): Promise<TakenInvite>;
}

export async function openInvites({ identity, crypto, random, clock, store }: InviteDeps): Promise<Invites> {
  const room = store.room('invites');
  const rows = records<InviteRow>(room, 'invite');
  const known = new Map<string, InviteRow>();
  for await (const [, row] of rows.all()) known.set(row.id, row);

  const forgetOld = async (): Promise<void> => {
    const old = [...known.values()].filter(({ expiresMs }) => expiresMs + limits.pairingWaitMs < clock.nowMs());
    if (old.length === 0) return;
    await room.commit(old.map(({ id }) => rows.remove(id)));
    for (const { id } of old) known.delete(id);
  };
  const openRows = (): InviteRow[] =>
    [...known.values()].filter(({ taken, expiresMs }) => taken === undefined && expiresMs > clock.nowMs());

  /** In memory first, so that of two who come at once only one gets in; undone when the disk refuses. */
  const keepTaken = async (taken: InviteRow, before: InviteRow): Promise<void> => {
    known.set(taken.id, taken);
    try {
      await room.commit([rows.put(taken.id, taken)]);
    } catch (error) {
      known.set(before.id, before);
      throw error;
    }
  };

  return {
    async create({ name, addresses, allow }) {
      await forgetOld();
      if (openRows().length >= limits.invitesOpenMax) {
        throw new PeerAiError(
          'TOO_MANY_PAIRINGS',
          `${limits.invitesOpenMax} invites are open; each ends after ten minutes`,
        );
      }
      const id = random.bytes(8);
      const secret = random.bytes(16);
      const expiresMs = clock.nowMs() + coreLimits.inviteLifeMs;
      const ticket = {
        kind: 'pair',
        id,
        name,
        addresses,
        models: [],
        tokens: 0,
        expiresMs,
        guests: 1,
        concurrency: 1,
        allow,
        secret,
      } as const;
      const link = inviteLink(encodeTicket(identity, ticket));
      const row: InviteRow = { id: toHex(id), secret: toHex(secret), link, expiresMs, allow };
      await room.commit([rows.put(row.id, row)]);
      known.set(row.id, row);
      return { id: row.id, link, expiresMs };
    },
    open: () => openRows().map(({ id, link, expiresMs }) => ({ id, link, expiresMs })),
    async take(grant, joiner) {
      const { ticket, proof } = readTicketProof(grant);
      const row = known.get(toHex(ticket));
      const secret = row === undefined ? undefined : fromHex(row.secret);
      if (
        row === undefined ||
        secret === undefined ||
        !equalBytes(proof, ticketProof(crypto, secret, ticket, identity.peer, joiner))
      ) {
        throw new PeerAiError('INVITE_INVALID', 'this invite was not made here');
      }
      const nowMs = clock.nowMs();
      if (row.taken !== undefined && (row.taken.by !== joiner || row.taken.atMs + limits.pairingWaitMs <= nowMs)) {
        throw new PeerAiError('INVITE_USED', 'this invite was used already; ask for a new one');
      }
      if (row.taken === undefined && row.expiresMs <= nowMs) {
        throw new PeerAiError('INVITE_EXPIRED', 'this invite is older than ten minutes; ask for a new one');
      }
      const taken = row.taken ?? { by: joiner, atMs: nowMs };
      if (row.taken === undefined) await keepTaken({ ...row, taken }, row);
      return { id: row.id, secret, allow: row.allow, takenMs: taken.atMs };
    },
  };
}
