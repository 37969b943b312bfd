import { PeerAiError, type PeerId, toBase64Url } from '@peerai/core-protocol';
import { openCheckpoint, verifyProof } from '@peerai/ledger';
import { proveUnder } from '@peerai/ledger/sync';
import { readCosigners, verifyEquivocation } from '@peerai/ledger/witness';
import { proofView, verificationView } from './books.ts';
import { entryView } from './entry-view.ts';
import { checkMessages } from './check-messages.ts';
import type { LedgerEntryView } from './ledger.schema.ts';
import { repairOwnLog } from './log-repair.ts';
import type { LogRoom } from './log-room.ts';
import type { LogsDeps, PeerLogs } from './logs.ts';
import type { LogsView } from './logs.schema.ts';
import type { Offender, Offenders } from './offenders.ts';

export type LogDesk = Omit<PeerLogs, 'met' | 'isRefused' | 'start' | 'stop'>;
type DeskDeps = LogsDeps & LogsDeps['accounts'] & { readonly offenders: Offenders };

/** Logs between peers, for people. */
export function createLogDesk(deps: DeskDeps, room: LogRoom): LogDesk {
  const { crypto, ledger, ledgerStore, guard, books, devices, offenders, nameOf } = deps;
  const { copies } = room;
  /** Throws NOT_FOUND. */
  const find = async (text: string): Promise<PeerId> => {
    const known = [...(await copies.list()), ...offenders.list().map(({ origin }) => origin)];
    const found = known.find((origin) => origin === text || (text.length >= 8 && origin.startsWith(text)));
    const named = devices.list().find(({ name, peer }) => name === text || peer === text)?.peer;
    const origin = found ?? named;
    if (origin === undefined) throw new PeerAiError('NOT_FOUND', 'no log of that peer is held here');
    return origin;
  };
  const troubled = (origin: PeerId): { readonly trouble?: string } => {
    const trouble = room.troubleOf(origin);
    return trouble === undefined ? {} : { trouble };
  };
  const overview = async (): Promise<LogsView> => {
    const note = await room.cosigned.note();
    const list = [];
    for (const origin of await copies.list()) list.push(await copyView(origin));
    return {
      v: 1,
      own: {
        origin: ledger.origin,
        size: Number(ledger.size),
        cosignedSize: note === undefined ? 0 : Number(openCheckpoint(crypto, note).size),
        cosigners: (note === undefined ? [] : readCosigners(crypto, note)).map(({ witness, timeS }) => ({
          peerId: witness,
          name: nameOf(witness),
          timeS,
        })),
        ...(ledger.refusal === undefined
          ? troubled(ledger.origin)
          : { trouble: ledger.refusal.message, closed: ledger.refusal.code }),
      },
      copies: list,
      witnessed: (await room.witness.heads()).map(({ origin, size }) => ({
        origin,
        name: nameOf(origin),
        size: Number(size),
      })),
      forked: offenders.list().map((one) => offenderView(one)),
    };
  };
  const copyView = async (origin: PeerId): Promise<LogsView['copies'][number]> => {
    const base = { origin, name: nameOf(origin), ...troubled(origin) };
    try {
      const view = await copies.view(origin);
      const { size = 0n, headSize = 0n, bytes = 0 } = view ?? {};
      return { ...base, size: Number(size), headSize: Number(headSize), bytes };
    } catch (error) {
      if (!PeerAiError.is(error, 'LEDGER_DAMAGED')) throw error;
      return { ...base, size: 0, headSize: 0, bytes: 0, trouble: error.message };
    }
  };
  const offenderView = ({ origin, evidence, sinceMs, toldBy }: Offender): LogsView['forked'][number] => ({
    origin,
    name: nameOf(origin),
    sizes: verifyEquivocation(crypto, evidence).heads.map(({ size }) => Number(size)),
    sinceMs,
    toldBy,
    refused: offenders.isRefused(origin) && origin !== ledger.origin,
  });
  const entryAt = async (origin: PeerId | undefined, index: number): Promise<Uint8Array> => {
    const place = BigInt(index);
    const source = origin === undefined ? ledger.read(place, place + 1n) : copies.read(origin, place, place + 1n);
    for await (const bytes of source) return bytes;
    throw new PeerAiError('NOT_IN_LOG', `there is no entry ${index}`);
  };
  /** Our newest head, with what others signed under it. */
  const ownHead = async (): Promise<{ readonly note: string; readonly size: bigint }> => {
    const [head, cosigned] = [await ledger.checkpoint(), await room.cosigned.note()];
    return cosigned !== undefined && openCheckpoint(crypto, cosigned).size === head.size
      ? { note: cosigned, size: head.size }
      : head;
  };
  return {
    overview,
    async entries(text, { from, limit = 50 }) {
      const origin = await find(text);
      const size = Number((await copies.view(origin))?.size ?? 0n);
      const start = Math.min(from ?? Math.max(0, size - limit), size);
      const views: LedgerEntryView[] = [];
      for await (const entry of copies.entries(origin, BigInt(start), BigInt(start + limit)))
        views.push(entryView(crypto, entry));
      return { v: 1, size, entries: views };
    },
    async page(text, from, limit) {
      const origin = text === undefined || text === ledger.origin ? undefined : await find(text);
      const { note, size } = origin === undefined ? await ownHead() : await wholeOf(room, origin);
      const [start, end] = [BigInt(from), BigInt(from + limit)];
      const entries: string[] = [];
      const source =
        origin === undefined ? ledger.read(start, min(end, size)) : copies.read(origin, start, min(end, size));
      for await (const bytes of source) entries.push(toBase64Url(bytes));
      return { v: 1, origin: origin ?? ledger.origin, size: Number(size), note, from, entries };
    },
    async verify(text, signal) {
      return verificationView(await copies.verify(await find(text), signal === undefined ? {} : { signal }));
    },
    async prove(text, index) {
      if (text !== undefined && text !== ledger.origin) {
        const origin = await find(text);
        const proof = await copies.prove(origin, BigInt(index));
        return proofView(proof, await entryAt(origin, index));
      }
      const note = await room.cosigned.note();
      if (note === undefined || openCheckpoint(crypto, note).size <= BigInt(index)) return books.prove(index);
      const proof = await proveUnder(crypto, ledgerStore, BigInt(index), note);
      return proofView(proof, await entryAt(undefined, index));
    },
    async proveUnder(note, index) {
      const { origin, size } = openCheckpoint(crypto, note);
      const isOwn = origin === ledger.origin;
      if (isOwn && size > ledger.size)
        throw new PeerAiError('NOT_IN_LOG', `the log has ${ledger.size} entries`, { size: Number(ledger.size) });
      const place = BigInt(index);
      const proof = await (isOwn
        ? proveUnder(crypto, ledgerStore, place, note)
        : copies.proveUnder(origin, place, note));
      const entry = await entryAt(isOwn ? undefined : origin, index);
      verifyProof(crypto, proof, entry);
      return proofView(proof, entry);
    },
    async witness(signal) {
      for (const { peer, blocked } of devices.list()) {
        if (blocked || !deps.isOnline(peer) || offenders.isRefused(peer)) continue;
        await room.exchange(peer, signal).catch((error: unknown) => {
          if (signal.aborted || !PeerAiError.is(error)) throw error;
        });
      }
      return overview();
    },
    repair: (signal) => repairOwnLog(deps, signal),
    async goOn() {
      await guard.goOn();
      return overview();
    },
    async evidence(text) {
      const origin = await find(text);
      const found = offenders.list().find((one) => one.origin === origin);
      if (found === undefined) throw new PeerAiError('NOT_FOUND', 'nothing is proven against that peer here');
      return toBase64Url(found.evidence);
    },
    async accuse(evidence) {
      await room.accuse(evidence, ledger.origin);
      return overview();
    },
    async checkMessages(signal) {
      return checkMessages({ crypto, ledger, store: deps.store }, await deps.messages.list(), signal);
    },
    async pardon(text, isPardoned) {
      const origin = await find(text);
      const done = await offenders.lift(origin, isPardoned ? deps.clock.nowMs() : undefined);
      if (!done) throw new PeerAiError('NOT_FOUND', 'nothing is proven against that peer here');
      if (isPardoned) await deps.pardoned?.(origin);
      return overview();
    },
  };
}

/** Throws NOT_FOUND for a copy that is not whole: nobody could check it. */
async function wholeOf({ copies }: LogRoom, origin: PeerId): Promise<{ readonly note: string; readonly size: bigint }> {
  const view = await copies.view(origin);
  if (view === undefined || view.size !== view.headSize)
    throw new PeerAiError('NOT_FOUND', `${view?.size ?? 0} of ${view?.headSize ?? 0} entries of that log are here`);
  return { note: view.note, size: view.size };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
