import {
  type Change,
  type CryptoProvider,
  fromHex,
  type Logger,
  type Opened,
  type PeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { PeerMessenger } from '@peerai/messaging';
import type { MessageView } from '../messages/messages.schema.ts';
import { records } from '../store/records.ts';
import { messageEntry, messageHash } from './message-statement.ts';

export interface StatementsDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly ledger: Pick<OwnLedger, 'append' | 'entries' | 'origin' | 'size'>;
}
/**
 * Entries for messages. What is to be said is on disk in the commit of the message itself; it goes into the log a moment later, many together,
 * and the row that promised it goes in the same commit: each is said once, whenever the process ends.
 */
export interface Statements {
  /** For the commit that puts a message of ours on its way: said when it is delivered. */
  sending(to: PeerId, kind: string, payload: unknown, id: string): readonly Change[];
  /** For the commit that takes a message in. */
  received(message: Pick<Opened, 'id' | 'sender' | 'kind' | 'payload'>): readonly Change[];
  /** Says what is due soon; nobody waits for it. */
  nudge(): void;
  /** Begins the log with the messages that were `kept` before it, follows what becomes of ours, and says what an earlier life left. */
  start(
    messenger: Pick<PeerMessenger, 'deliveries' | 'status'>,
    kept: () => Promise<readonly MessageView[]>,
  ): Promise<void>;
  stop(): Promise<void>;
}
interface Row {
  readonly hash: string;
}
/** Entries said in one commit: as many as the log takes together. */
const batch = 256;

export function createStatements({ store, crypto, logger, ledger }: StatementsDeps): Statements {
  const room = store.room('statements');
  /** Ours that are on their way, by id; and what is due, by direction and id. */
  const waiting = records<Row>(room, 'sent');
  const due = records<Row>(room, 'due');
  const begun = records<true>(store.room('messages-before'), 'begun');
  let saying: Promise<void> | undefined;
  let again = false;
  let listening: Disposable | undefined;
  const next = async (): Promise<(readonly [string, Row])[]> => {
    const found: (readonly [string, Row])[] = [];
    for await (const row of due.all()) {
      found.push(row);
      if (found.length === batch) break;
    }
    return found;
  };
  const sayAll = async (): Promise<void> => {
    do {
      again = false;
      for (let rows = await next(); rows.length > 0; rows = await next()) {
        const entries = rows.map(([key, { hash }]) =>
          messageEntry(key.startsWith('sent-') ? 'sent' : 'received', fromHex(hash)),
        );
        await ledger.append(
          entries,
          rows.map(([key]) => due.remove(key)),
        );
      }
    } while (again);
  };
  const failed = (error: unknown): void => {
    logger.error('statement-not-written', { error: error instanceof Error ? error.message : 'unknown' });
  };
  const nudge = (): void => {
    again = true;
    saying ??= sayAll()
      .catch(failed)
      .finally(() => {
        saying = undefined;
      });
  };
  /** Once a log: what is put among the messages later was not there before. */
  const begin = async (kept: readonly MessageView[]): Promise<void> => {
    const mark = begun.put(ledger.origin, true);
    if (kept.length > 0) {
      const { stateKeptBefore } = await import('./kept-before.ts');
      if (await stateKeptBefore({ crypto, ledger }, kept, [mark])) return;
    }
    await store.commit([mark]);
  };
  const settle = async (id: string, isDelivered: boolean): Promise<void> => {
    const row = await waiting.get(id);
    if (row === undefined) return;
    await room.commit([waiting.remove(id), ...(isDelivered ? [due.put(`sent-${id}`, row)] : [])]);
    if (isDelivered) nudge();
  };
  const row = (from: PeerId, to: PeerId, kind: string, payload: unknown, id: string): Row => ({
    hash: toHex(messageHash(crypto, { id, from, to, kind, payload })),
  });
  return {
    sending: (to, kind, payload, id) => [waiting.put(id, row(ledger.origin, to, kind, payload, id))],
    received({ id, sender, kind, payload }) {
      const said = row(sender, ledger.origin, kind, payload, id);
      return [due.put(`received-${said.hash}`, said)];
    },
    nudge,
    async start(messenger, kept) {
      if ((await begun.get(ledger.origin)) === undefined) await begin(await kept()).catch(failed);
      listening = messenger.deliveries(
        ({ id, state }) => void settle(id, state === 'delivered').catch(() => undefined),
      );
      const left: string[] = [];
      for await (const [id] of waiting.all()) left.push(id);
      for (const id of left) {
        const report = await messenger.status(id);
        if (report?.state !== 'queued') await settle(id, report?.state === 'delivered');
      }
      nudge();
    },
    async stop() {
      listening?.[Symbol.dispose]();
      await saying;
    },
  };
}
