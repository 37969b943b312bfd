import { callMethod, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { type Repair, repairLog, type RepairSource } from '@peerai/ledger/sync';
import type { LogsDeps } from './logs.ts';
import { logMethod, type LogQuestion, plainLogQuestion } from './log-protocol.ts';
import type { RepairView } from './logs.schema.ts';
import type { Offenders } from './offenders.ts';

type RepairRoom = LogsDeps & LogsDeps['accounts'] & { readonly offenders: Pick<Offenders, 'isRefused'> };

/**
 * Puts our log together again: out of its own rows where they suffice, else out of what devices that are here have of it, one after the other until
 * nothing is missing. Throws NOT_FOUND where none has any of it, and what the last repair threw where none helped.
 */
export async function repairOwnLog(deps: RepairRoom, signal: AbortSignal): Promise<RepairView> {
  const { ledger, ledgerStore, guard, devices, offenders } = deps;
  const put = async (source?: RepairSource): Promise<Repair> => {
    const done = await ledger.exclusive(() => repairLog({ ...deps, store: ledgerStore }, source));
    await guard.review();
    return done;
  };
  if (PeerAiError.is(ledger.refusal, 'LEDGER_DAMAGED')) {
    try {
      const { size, restored } = await put();
      if (ledger.refusal === undefined) return { v: 1, size: Number(size), restored, from: ledger.origin };
    } catch (error) {
      if (!PeerAiError.is(error, 'LEDGER_DAMAGED', 'PROOF_WRONG')) throw error;
    }
  }
  let failure: unknown = new PeerAiError('NOT_FOUND', 'no device that is here has a copy of this log', {
    hint: 'Start a device that it was paired with, or stop the agent and use an export: `peerai ledger repair --from FOLDER`.',
  });
  let done: RepairView | undefined;
  for (const { peer, blocked } of devices.list()) {
    if (blocked || !deps.isOnline(peer) || offenders.isRefused(peer)) continue;
    try {
      const source = await copyAt(deps, peer, signal);
      if (source === undefined) continue;
      const { size, restored } = await put(source);
      done = { v: 1, size: Number(size), restored: restored + (done?.restored ?? 0), from: peer };
      if (ledger.refusal === undefined) return done;
      failure = stillRefused(ledger.refusal);
    } catch (error) {
      if (signal.aborted) throw error;
      // It stands for a head of ours and has no copy: as one that was never asked.
      if (!PeerAiError.is(error, 'NOT_FOUND')) failure = error;
    }
  }
  throw failure;
}

/** What is left when the copies that are here were put back: to say `repair` again would send its owner round in a circle. */
const stillRefused = (refusal: PeerAiError): PeerAiError =>
  PeerAiError.is(refusal, 'LEDGER_BEHIND')
    ? new PeerAiError(refusal.code, refusal.message, {
        ...refusal.details,
        hint: 'No device that is here has the missing entries. Start the others it was paired with and repair again, or put an export back with the agent off: `peerai ledger repair --from FOLDER`. `peerai ledger go-on` adds without them, and others then see two histories.',
      })
    : refusal;

/** What a device has of our log, fetched whole. Throws what asking throws. */
async function copyAt(deps: RepairRoom, peer: PeerId, signal: AbortSignal): Promise<RepairSource | undefined> {
  const ask = (question: Partial<LogQuestion> & Pick<LogQuestion, 'kind'>) =>
    callMethod(deps, peer, logMethod, { ...plainLogQuestion, ...question }, { signal });
  const { notes } = await ask({ kind: 'heads' });
  const note = notes.find((one) => openCheckpoint(deps.crypto, one).origin === deps.identity.peer);
  if (note === undefined) return undefined;
  const { size } = openCheckpoint(deps.crypto, note);
  const all: Uint8Array[] = [];
  while (BigInt(all.length) < size) {
    const from = BigInt(all.length);
    const { entries } = await ask({ kind: 'range', origin: deps.identity.peer, from, size });
    if (entries.length === 0) throw new PeerAiError('NOT_FOUND', 'the copy is not whole');
    all.push(...entries);
  }
  return { note, entries: all };
}
