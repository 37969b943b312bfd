import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  PeerAiError,
  type PeerId,
  type Store,
  wire,
} from '@peerai/core-protocol';
import { checkPayload } from '../agreement/entry.ts';
import { agreementLimits as limits } from '../agreement/limits.ts';
import type { Agreement, Block, Genesis } from '../agreement/types.ts';
import type { LedgerErrorCode } from '../errors.ts';
import { createLocks } from '../receipt/locks.ts';
import { exportChain } from './file.ts';
import { type ChainVerification, verifyChain } from './verify.ts';

export interface GroupChainDeps {
  /** A room of its own, beside the agreement's. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly genesis: Genesis;
  /** Whose entries `mineBlock` looks for after a restart: this peer. */
  readonly self: PeerId;
  readonly agreement: Agreement;
}
/** The chain of a group, as one who writes into it sees it: entries wait here until a block is closed over them. */
export interface GroupChain {
  /** On disk when it resolves, in no block yet. Throws LIMIT_EXCEEDED, INVALID_FORMAT, LIMIT_REACHED. */
  add(payload: EntryBody): Promise<void>;
  /** What waits, oldest first. */
  pending(): Promise<readonly EntryBody[]>;
  /**
   * Closes the next block over what waits and resolves with it once a quorum has decided it; undefined when nothing waits. It may hold entries of
   * others too, and when the group writes a lot what waits may need several: then it is the one with the last entry. Nothing is lost or written
   * twice by a crash in the middle. Throws what `Agreement.proposeAll` throws; then the entries still wait.
   */
  mineBlock(signal: AbortSignal): Promise<Block | undefined>;
  /** Every byte of the chain that is stored here. */
  verify(): Promise<ChainVerification>;
  /** The chain as one file, for `importChain` and for who wants to check it. */
  export(): AsyncIterable<Uint8Array>;
}

const rowForm = wire.message({ kind: wire.string(1), body: wire.bytes(2) });
const markForm = wire.message({ fromHeight: wire.uint53(1) });
const rows = ['p/', 'p0'] as const;
/** There while entries are under way: from this height on they may be in a block. */
const markKey = 'mining';

interface Waiting {
  readonly key: string;
  readonly payload: EntryBody;
}

export function createGroupChain({ store, crypto, genesis, self, agreement }: GroupChainDeps): GroupChain {
  const locks = createLocks();
  const waiting = async (): Promise<Waiting[]> => {
    const found: Waiting[] = [];
    for await (const { key, value } of store.range(...rows)) found.push({ key, payload: rowForm.decode(value) });
    return found;
  };
  const blocks = (): AsyncIterable<Uint8Array> => agreement.blocks(1, agreement.status().height + 1);
  /** What was under way when this peer was stopped may have been decided meanwhile. */
  const settle = async (): Promise<void> => {
    const mark = await store.get(markKey);
    if (mark === undefined) return;
    const left = await waiting();
    const gone: Waiting[] = [];
    const { fromHeight } = markForm.decode(mark);
    const stop = new AbortController();
    const last = agreement.status().height;
    if (last >= fromHeight)
      for await (const { header, entries } of agreement.decisions(fromHeight, stop.signal)) {
        for (const { author, kind, body } of entries) {
          const at = left.findIndex(({ payload }) => payload.kind === kind && equalBytes(payload.body, body));
          if (author === self && at >= 0) gone.push(...left.splice(at, 1));
        }
        if (header.height >= last) stop.abort();
      }
    await store.commit([...gone.map(({ key }) => store.put(key)), store.put(markKey)]);
  };
  return {
    add: (payload) =>
      locks.run('pending', async () => {
        checkPayload(payload);
        const all = await waiting();
        if (all.length >= limits.pendingPerAuthorMax)
          throw new PeerAiError<LedgerErrorCode>('LIMIT_REACHED', `${all.length} entries wait for a block`);
        const place = Number.parseInt(all.at(-1)?.key.slice(2) ?? '0', 16) + 1;
        const key = `p/${place.toString(16).padStart(14, '0')}`;
        await store.commit([store.put(key, rowForm.encode(payload))]);
      }),
    pending: async () => (await waiting()).map(({ payload }) => payload),
    mineBlock: (signal) =>
      locks.run('mine', async () => {
        await settle();
        const all = fitting(await waiting());
        if (all.length === 0) return undefined;
        const fromHeight = agreement.status().height + 1;
        await store.commit([store.put(markKey, markForm.encode({ fromHeight }))]);
        const decisions = await agreement.proposeAll(
          all.map(({ payload }) => payload),
          signal,
        );
        await store.commit([...all.map(({ key }) => store.put(key)), store.put(markKey)]);
        return decisions.at(-1)?.block;
      }),
    verify: () => verifyChain(crypto, genesis, blocks()),
    export: () => exportChain(genesis, blocks()),
  };
}

/** As many as one block has room for. */
function fitting(all: readonly Waiting[]): readonly Waiting[] {
  let bytes = 0;
  const cut = all.findIndex(({ payload }) => {
    bytes += payload.body.length + payload.kind.length * 3 + entryFrameBytes;
    return bytes > limits.blockEntriesBytesMax;
  });
  return cut < 0 ? all : all.slice(0, cut);
}
/** Bytes of an entry beside its kind and body. */
const entryFrameBytes = 160;
