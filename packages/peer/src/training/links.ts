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
  type Shelf,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { decide, encodeTicket, readTicketProof, ticketProof, trainLink } from '@peerai/core-protocol/access';
import type { BlobSource } from '@peerai/core-protocol/blob';
import type { z } from 'zod';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import type { ShareReach } from '../share/sharing.ts';
import { createMutex } from '../store/mutex.ts';
import type { LinkAnswer } from './link-protocol.ts';
import { linkFacts, type LinkRow, linkState, openLinkRows } from './link-rows.ts';
import { shardsOf } from './link-shards.ts';
import { decodePlan } from './plan.ts';
import { isEnded, places, type RunHead } from './run-book.ts';
import type { trainingLinkRequestSchema, TrainingLinkView } from './training.schema.ts';

export interface LinksDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly store: Store;
  readonly shelf: () => Shelf;
  readonly devices: Devices;
  readonly ownName: () => string;
  /** Where links lead. Throws SHARE_INVALID. */
  readonly reach: () => Promise<ShareReach>;
  readonly nameOf: (peer: PeerId) => string;
  /** A run of this peer's list, by its id. */
  readonly runOf: (id: string) => RunHead | undefined;
  /** Ends what this peer has open in a run. */
  readonly cutOff: (peer: PeerId) => void;
}
/** Links that let visitors take part in one run: each proves its ticket, and may then do that and nothing else. */
export interface TrainingLinks {
  /** @param data - text to hand out. Throws RUN_OVER, NOT_LEADING, LIMIT_REACHED, SHARE_INVALID, DATA_INVALID, DATA_TOO_SMALL. */
  create(
    head: RunHead,
    wish: z.output<typeof trainingLinkRequestSchema>,
    data: { readonly name: string; readonly text: string } | undefined,
  ): Promise<TrainingLinkView>;
  list(run: string): readonly TrainingLinkView[];
  /** From now on it is refused, and who came with it is out. Throws SHARE_UNKNOWN. */
  stop(id: string): Promise<TrainingLinkView>;
  /** Lets a visitor in. Throws the ticket's refusal, RUN_OVER, NOT_LEADING. */
  greet(peer: PeerId, grant: Uint8Array): Promise<LinkAnswer>;
  /** Whether a visitor may take part here, in this run if one is named. */
  admits(peer: PeerId, run?: string): boolean;
  /** The data that is handed out, for whom it is. */
  readonly shards: BlobSource;
  /** The run is over, or forgotten. */
  ended(run: string): Promise<void>;
  close(): void;
}

export async function openTrainingLinks(deps: LinksDeps): Promise<TrainingLinks> {
  const { clock, crypto, identity, devices } = deps;
  const rows = await openLinkRows(deps.store);
  const serial = createMutex();
  const closing = new AbortController();
  /** The link with which each visitor proved itself since this peer started. */
  const admitted = new Map<PeerId, string>();
  const stateOf = (row: LinkRow): TrainingLinkView['state'] => linkState(row, clock.nowMs());
  const view = (row: LinkRow): TrainingLinkView => linkView(deps, row);
  const rowFor = (peer: PeerId): LinkRow | undefined => rows.get(admitted.get(peer) ?? '');

  const turnOut = (row: LinkRow): void => {
    for (const { peer } of row.visitors) {
      if (admitted.get(peer) !== row.id) continue;
      admitted.delete(peer);
      deps.cutOff(peer);
    }
  };
  const dropShards = async ({ id, handed }: LinkRow): Promise<void> => {
    for (const place of handed?.shards.keys() ?? []) await deps.shelf().remove(places.shard(id, place));
  };
  const atItsEnd = async (row: LinkRow): Promise<void> => {
    try {
      await clock.sleep(Math.max(0, row.expiresMs - clock.nowMs()), closing.signal);
    } catch {
      return;
    }
    const now = rows.get(row.id);
    if (now === undefined || now.endedBy !== undefined) return;
    turnOut(now);
    await dropShards(now).catch(() => undefined);
  };
  const end = async (row: LinkRow, endedBy: 'owner' | 'run'): Promise<LinkRow> => {
    if (stateOf(row) !== 'active') return row;
    const ended = { ...row, endedBy, endedMs: clock.nowMs() };
    await rows.save(ended);
    if (endedBy === 'owner') turnOut(ended);
    await dropShards(ended);
    return ended;
  };
  const makeRoom = async (): Promise<void> => {
    const spare = rows.all().filter((row) => stateOf(row) !== 'active');
    const count = rows.all().length - limits.trainingLinksMax + 1;
    if (count > spare.length)
      throw new PeerAiError('LIMIT_REACHED', `${limits.trainingLinksMax} links are open; stop one first`);
    for (const { id } of spare.slice(0, Math.max(0, count))) await rows.remove(id);
  };
  for (const row of rows.all()) if (stateOf(row) === 'active') void atItsEnd(row);

  return {
    create: (head, wish, data) =>
      serial(async () => {
        checkOpen(deps, head);
        await makeRoom();
        const shards = data === undefined ? undefined : await shardsFor(head, data.text, wish.visitors);
        const row = await madeRow(deps, head, wish);
        const kept = shards?.map((shard, place) => ({ shard: utf8(shard), place })) ?? [];
        for (const { shard, place } of kept) await deps.shelf().write(places.shard(row.id, place), 0, shard);
        const told = kept.map(({ shard }) => ({ sha256: toHex(crypto.sha256(shard)), bytes: shard.length }));
        const whole = data === undefined ? row : { ...row, handed: { name: data.name, shards: told } };
        await rows.save(whole);
        void atItsEnd(whole);
        return view(whole);
      }),
    list: (run) =>
      rows
        .all()
        .filter((row) => row.run === run)
        .map(view),
    stop: (id) =>
      serial(async () => {
        const row = rows.all().find((one) => one.id === id || (id.length >= 4 && one.id.startsWith(id)));
        if (row === undefined)
          throw new PeerAiError<PeerErrorCode>('SHARE_UNKNOWN', `no link has the id ${id.slice(0, 40)}`);
        return view(await end(row, 'owner'));
      }),
    greet: (peer, grant) =>
      serial(async () => {
        const { ticket, proof } = readTicketProof(grant);
        const row = rows.get(toHex(ticket));
        const secret = fromHex(row?.secret ?? '');
        const verdict = decide({
          nowMs: clock.nowMs(),
          peer,
          resource: `train:${row?.run ?? ''}`,
          units: 1,
          // What a pairing allows is for the device's own data: with a link it comes as any visitor.
          ...(devices.isBlocked(peer) ? { pairing: { allow: [], blocked: true } } : {}),
          ...(row === undefined ? {} : { share: linkFacts(row) }),
          ticketPresented: true,
          proofValid: row !== undefined && equalBytes(proof, ticketProof(crypto, secret, ticket, identity.peer, peer)),
          owesReceipt: false,
        });
        if (!verdict.allowed) throw new PeerAiError(verdict.code, verdict.message);
        if (row === undefined) throw new PeerAiError('TICKET_INVALID', 'this link is not known here');
        const head = checkOpen(deps, row.endedBy === 'run' ? undefined : deps.runOf(row.run));
        const seen = { peer, lastSeenMs: clock.nowMs() };
        const isKnown = row.visitors.some((one) => one.peer === peer);
        const visitors = isKnown
          ? row.visitors.map((one) => (one.peer === peer ? seen : one))
          : [...row.visitors, seen];
        await rows.save({ ...row, visitors });
        admitted.set(peer, row.id);
        return answerOf(head, { ...row, visitors }, peer);
      }),
    admits(peer, run) {
      const row = rowFor(peer);
      // Who was in it to the end may fetch what it came to, until the link ends.
      const isIn = row !== undefined && (stateOf(row) === 'active' || stateOf(row) === 'over');
      return (
        isIn && row.expiresMs > clock.nowMs() && (run === undefined || row.run === run) && !devices.isBlocked(peer)
      );
    },
    shards: {
      async length(sha256, peer) {
        const row = rowFor(peer);
        const shard = row === undefined || stateOf(row) !== 'active' ? undefined : shardOf(row, peer);
        return shard?.sha256 === toHex(sha256) ? shard.bytes : undefined;
      },
      async read(sha256, offset, count) {
        const wanted = toHex(sha256);
        for (const { id, handed } of rows.all().filter((row) => stateOf(row) === 'active')) {
          const place = handed?.shards.findIndex((shard) => shard.sha256 === wanted) ?? -1;
          if (place >= 0) return deps.shelf().read(places.shard(id, place), offset, count);
        }
        return new Uint8Array();
      },
    },
    ended: (run) =>
      serial(async () => {
        for (const row of rows.all()) if (row.run === run) await end(row, 'run');
      }),
    close: () => closing.abort(new PeerAiError('ABORTED', 'this peer is stopping')),
  };
}

/** Each part on its own has to be enough to learn from. Throws DATA_INVALID, DATA_TOO_SMALL. */
async function shardsFor(head: RunHead, text: string, count: number): Promise<readonly string[]> {
  const { taskOfData } = await import('./lazy.ts');
  const plan = decodePlan(utf8(head.plan));
  const shards = shardsOf(plan, text, count);
  try {
    for (const shard of shards) taskOfData(plan, shard);
  } catch (error) {
    if (!PeerAiError.is(error, 'DATA_TOO_SMALL')) throw error;
    const message = `cut into ${count} parts, one for each visitor, the data is too small: ${error.message}`;
    throw new PeerAiError<PeerErrorCode>('DATA_TOO_SMALL', message, {}, { cause: error });
  }
  return shards;
}

/** A run that goes on and is coordinated here: visitors know nobody else. Throws RUN_OVER, NOT_LEADING. */
function checkOpen({ identity }: LinksDeps, head: RunHead | undefined): RunHead {
  if (head === undefined || isEnded(head)) throw new PeerAiError<PeerErrorCode>('RUN_OVER', 'this run is over');
  if (head.terms.kind === 'private')
    throw new PeerAiError('REFUSED', 'this run is private: it takes in nobody but those it invited');
  if (head.coordinator === identity.peer || (head.coordinator === undefined && head.role === 'started')) return head;
  throw new PeerAiError('NOT_LEADING', 'another device coordinates this run now; a link is made and answered there');
}

async function madeRow(
  deps: LinksDeps,
  head: RunHead,
  { forMs, visitors }: z.output<typeof trainingLinkRequestSchema>,
): Promise<LinkRow> {
  const { pageUrl, addresses, reach, warning } = await deps.reach();
  const [id, secret] = [deps.random.bytes(8), deps.random.bytes(16)];
  const createdMs = deps.clock.nowMs();
  const expiresMs = createdMs + forMs;
  const ticket = encodeTicket(deps.identity, {
    kind: 'train',
    id,
    name: deps.ownName(),
    addresses: addresses.slice(0, coreLimits.ticketAddressesMax),
    models: [],
    tokens: 0,
    expiresMs,
    guests: visitors,
    concurrency: visitors,
    allow: ['train'],
    secret,
  });
  return {
    id: toHex(id),
    secret: toHex(secret),
    run: head.id,
    name: head.name,
    link: trainLink(pageUrl, ticket),
    reach,
    ...(warning === undefined ? {} : { warning }),
    createdMs,
    expiresMs,
    visitorsMax: visitors,
    visitors: [],
  };
}

const shardOf = ({ handed, visitors }: LinkRow, peer: PeerId) =>
  handed?.shards[visitors.findIndex((one) => one.peer === peer)];

function answerOf({ termsHex, plan, round, members }: RunHead, row: LinkRow, peer: PeerId): LinkAnswer {
  const shard = shardOf(row, peer);
  const handed = shard === undefined ? undefined : { bytes: shard.bytes, sha256: fromHex(shard.sha256) };
  return {
    terms: fromHex(termsHex),
    plan: utf8(plan),
    round,
    members: Math.max(1, members.length),
    expiresMs: row.expiresMs,
    shard: handed === undefined ? undefined : { ...handed, name: row.handed?.name ?? '' },
  };
}

function linkView({ nameOf, clock }: LinksDeps, row: LinkRow): TrainingLinkView {
  const { id, run, name, link, reach, warning, createdMs, expiresMs, visitorsMax, handed } = row;
  return {
    id,
    run: { id: run, name },
    link,
    reach,
    ...(warning === undefined ? {} : { warning }),
    createdMs,
    expiresMs,
    visitorsMax,
    visitors: row.visitors.map(({ peer, lastSeenMs }) => ({ peerId: peer, name: nameOf(peer), lastSeenMs })),
    handed:
      handed === undefined
        ? null
        : { name: handed.name, bytes: handed.shards.reduce((sum, { bytes }) => sum + bytes, 0) },
    state: linkState(row, clock.nowMs()),
  };
}
