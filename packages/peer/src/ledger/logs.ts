import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  type Store,
  type Topics,
} from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import type { Messages } from '../messages/messages.ts';
import type { Devices } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { Accounts } from './accounts.ts';
import type { LedgerEntries, LedgerProof, LedgerVerification, MessageCheckView } from './ledger.schema.ts';
import type { LedgerPageView, LogsView, RepairView } from './logs.schema.ts';
import { logMethod } from './log-protocol.ts';
import type { LogDesk } from './log-desk.ts';
import type { LogRoom } from './log-room.ts';
import { lookAtOwn } from './own-head-shown.ts';
import { createOffenders, type Offenders } from './offenders.ts';

export interface LogsDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly store: Store;
  readonly network: Network;
  readonly topics?: Topics;
  readonly accounts: Pick<Accounts, 'ledger' | 'ledgerStore' | 'books' | 'guard'>;
  readonly devices: Devices;
  /** Those that are kept to read. */
  readonly messages: Pick<Messages, 'list'>;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly showsEntries: boolean;
  /** Somebody was proven to have two histories; hex name of the proof. */
  readonly forked?: (origin: PeerId, proof: string) => void;
  /** The owner deals with one of them all the same. */
  readonly pardoned?: (origin: PeerId) => Promise<void>;
  readonly stopping: AbortSignal;
}
/** Logs between peers: copies, witnesses, forks. Another log is named by its peer id, by its beginning (8 characters or more) or by its device's name. */
export interface PeerLogs {
  /** What is kept of others, who signs for whom, who is refused. */
  overview(): Promise<LogsView>;
  /** Throws NOT_FOUND, LEDGER_DAMAGED. */
  entries(
    origin: string,
    range: { readonly from?: number | undefined; readonly limit?: number | undefined },
  ): Promise<LedgerEntries>;
  /** A log's entries as bytes, with its checkpoint: what somebody needs to check it himself. `origin` absent: our own. */
  page(origin: string | undefined, from: number, limit: number): Promise<LedgerPageView>;
  verify(origin: string, signal?: AbortSignal): Promise<LedgerVerification>;
  /** Of our own log under the newest checkpoint that others signed too, where the entry is older than that. Throws NOT_IN_LOG, NOT_FOUND. */
  prove(origin: string | undefined, index: number): Promise<LedgerProof>;
  /** Under a checkpoint that is given, of our own log or of one that is copied here. Throws NOT_IN_LOG, NOT_FOUND, PROOF_WRONG where it is of another history. */
  proveUnder(note: string, index: number): Promise<LedgerProof>;
  /** Shows our head to every device that is here, and looks at theirs. */
  witness(signal: AbortSignal): Promise<LogsView>;
  /** Puts a damaged log of ours together again out of what devices that are here have of it. Throws NOT_FOUND where none has any of it, and what the repair throws. */
  repair(signal: AbortSignal): Promise<RepairView>;
  /** The owner adds to a log that others have seen longer, and so signs a second history. Throws NOT_FOUND where nothing stands against adding. */
  goOn(): Promise<LogsView>;
  /** The bytes that prove a fork, base64url. Throws NOT_FOUND. */
  evidence(origin: string): Promise<string>;
  /** Evidence from a file. Throws PROOF_WRONG, INVALID_FORMAT, INVALID_SIGNATURE. */
  accuse(evidence: Uint8Array): Promise<LogsView>;
  /** The owner's word about somebody who forked. Throws NOT_FOUND. */
  pardon(origin: string, isPardoned: boolean): Promise<LogsView>;
  /** Whether every message that is kept has its entry in our log. */
  checkMessages(signal: AbortSignal): Promise<MessageCheckView>;
  met(peer: PeerId): void;
  isRefused(peer: PeerId): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Who is refused is known from the start; all else is loaded when a device says hello or somebody asks. */
export function createLogs(deps: LogsDeps): PeerLogs {
  const offenders: Offenders = createOffenders(deps.store.room('offenders'));
  const mayAsk = (peer: PeerId): boolean => deps.devices.get(peer)?.blocked === false && !offenders.isRefused(peer);
  const held = onDemand(async (): Promise<{ readonly room: LogRoom; readonly desk: LogDesk }> => {
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const [{ openLogRoom }, { createLogDesk }] = await Promise.all([import('./log-room.ts'), import('./log-desk.ts')]);
    const room = openLogRoom({ ...deps, ...deps.accounts, offenders });
    return { room, desk: createLogDesk({ ...deps, ...deps.accounts, offenders }, room) };
  });
  const desk = async (): Promise<LogDesk> => (await held.get()).desk;
  /** Devices from before this start that were not met yet: a log does not get shorter while its peer runs. */
  const before = new Set<PeerId>();
  let serving: Disposable | undefined;
  return {
    overview: async () => (await desk()).overview(),
    entries: async (origin, range) => (await desk()).entries(origin, range),
    page: async (origin, from, limit) => (await desk()).page(origin, from, limit),
    verify: async (origin, signal) => (await desk()).verify(origin, signal),
    prove: async (origin, index) => (await desk()).prove(origin, index),
    proveUnder: async (note, index) => (await desk()).proveUnder(note, index),
    witness: async (signal) => (await desk()).witness(signal),
    repair: async (signal) => (await desk()).repair(signal),
    goOn: async () => (await desk()).goOn(),
    evidence: async (origin) => (await desk()).evidence(origin),
    accuse: async (evidence) => (await desk()).accuse(evidence),
    pardon: async (origin, isPardoned) => (await desk()).pardon(origin, isPardoned),
    checkMessages: async (signal) => (await desk()).checkMessages(signal),
    met(peer) {
      if (!mayAsk(peer)) return;
      // What is owed is signed at a hello: only after a look at what it has of our log.
      if (before.delete(peer)) deps.accounts.ledger.pause(lookAtOwn({ ...deps, ...deps.accounts }, peer));
      void held
        .get()
        .then(({ room }) => room.met(peer))
        .catch(() => undefined);
    },
    isRefused: (peer) => offenders.isRefused(peer),
    async start() {
      await offenders.load();
      for (const { peer } of deps.devices.list()) before.add(peer);
      serving = serveMethod(
        deps.network,
        logMethod,
        async (question, { peer }) => {
          if (!mayAsk(peer)) throw new PeerAiError('REFUSED', 'this peer shows its log to paired devices alone');
          return (await held.get()).room.answer(peer, question);
        },
        { clock: deps.clock },
      );
    },
    async stop() {
      serving?.[Symbol.dispose]();
      await (await held.settled())?.room.idle();
    },
  };
}
