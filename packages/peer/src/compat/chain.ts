import {
  type Clock,
  type CryptoProvider,
  fromUtf8,
  type Identity,
  type Store,
  toHex,
  utf8,
  wire,
} from '@peerai/core-protocol';
import {
  createReceiptBook,
  openCheckpoint,
  openLedger,
  type OwnLedger,
  trainingRoundKind,
  type TreeHead,
  verifyConsistency,
} from '@peerai/ledger';

/** What `get_blockchain_stats` answers. */
export interface ChainStats {
  /** Blocks: signed checkpoints that were written into the log. */
  readonly total_blocks: number;
  /** Entries of the log, blocks among them. */
  readonly total_entries: number;
  /** Entries since the last block. */
  readonly pending_transactions: number;
  readonly memory_records: number;
  /** Root of the log's tree now, 64 hex digits. */
  readonly latest_hash: string;
  /** Of a device in a group: blocks that the group decided, and heads of this device that wait for one. */
  readonly group_blocks?: number;
  readonly group_pending?: number;
}

/** What `get_memory_record` answers, as JSON. */
export interface MemoryRecord {
  readonly capsule_id: string;
  readonly cluster_id: string;
  /** Whose log: a peer id. */
  readonly owner: string;
  readonly index: number;
  readonly timestamp: number;
  /** Leaf hash, 64 hex digits. */
  readonly hash: string;
  /** The entry's bytes, hex. */
  readonly entry: string;
  /** Signed head and inclusion path, hex: `verifyProof` of `@peerai/ledger` takes it with the entry. */
  readonly proof: string;
}

export interface ChainDeps {
  readonly store: Store;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

/** A signed head: closes a block of this log, and stands for it in a group's chain. */
export const blockKind = 'device-block';
const capsuleKind = 'device-capsule';
const capsuleForm = wire.message({ capsule: wire.string(1), cluster: wire.string(2) });

/** This device's own log, with the seed's words for what is done to it. */
export class Chain {
  readonly #deps: ChainDeps;
  readonly #ledger: OwnLedger;
  readonly #capsules = new Map<string, bigint>();
  #blocks = 0;
  /** Entries that the last block covers, and itself. */
  #closed = 0n;
  #lastBlock: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(deps: ChainDeps, ledger: OwnLedger) {
    this.#deps = deps;
    this.#ledger = ledger;
  }

  /** Throws LEDGER_DAMAGED, NOT_OUR_LOG, and what the store throws. */
  static async open(deps: ChainDeps): Promise<Chain> {
    const chain = new Chain(deps, await openLedger({ ...deps, store: deps.store.room('ledger') }));
    for await (const { index, entry } of chain.#ledger.entries(0n, chain.#ledger.size)) {
      if (entry.kind === capsuleKind) chain.#capsules.set(capsuleForm.decode(entry.body).capsule, index);
      if (entry.kind === blockKind) chain.#noteBlock(index, fromUtf8(entry.body));
    }
    return chain;
  }

  /** On disk and under a signed checkpoint when it resolves. */
  async recordCapsule(capsule: string, cluster: string): Promise<void> {
    await this.#inTurn(async () => {
      const index = await this.#ledger.append([{ kind: capsuleKind, body: capsuleForm.encode({ capsule, cluster }) }]);
      this.#capsules.set(capsule, index);
    });
  }

  /** @param statement - `encodeTrainingRound` of `@peerai/ledger`. */
  async recordRound(statement: Uint8Array): Promise<void> {
    await this.#inTurn(() => this.#ledger.append([{ kind: trainingRoundKind, body: statement }]));
  }

  /** Writes the signed head of what came since the last block into the log. @returns the root it closes, hex; '' when nothing came. */
  mine(): Promise<string> {
    return this.#inTurn(async () => {
      const { size, note } = await this.#ledger.checkpoint();
      if (size === this.#closed) return '';
      this.#noteBlock(await this.#ledger.append([{ kind: blockKind, body: utf8(note) }]), note);
      return toHex(openCheckpoint(this.#deps.crypto, note).root);
    });
  }

  /** The signed head that closed the last block. */
  get lastBlock(): string | undefined {
    return this.#lastBlock;
  }

  /** Every byte of the log, and for each block, and each head that was stated elsewhere, that the log of today continues it. */
  async validate(stated: readonly string[] = []): Promise<boolean> {
    const { crypto } = this.#deps;
    const { ok, size } = await this.#ledger.verify();
    if (!ok) return false;
    const head = openCheckpoint(crypto, (await this.#ledger.checkpoint()).note);
    for (const note of stated) if (!(await this.#continues(openCheckpoint(crypto, note), head))) return false;
    for await (const { index, entry } of this.#ledger.entries(0n, size)) {
      if (entry.kind !== blockKind) continue;
      const closed = openCheckpoint(crypto, fromUtf8(entry.body));
      if (closed.size !== index || !(await this.#continues(closed, head))) return false;
    }
    return true;
  }

  async #continues(closed: TreeHead, head: TreeHead): Promise<boolean> {
    const { crypto, identity } = this.#deps;
    if (closed.origin !== identity.peer || closed.size > head.size) return false;
    const path = await this.#ledger.proveConsistency(closed.size, head.size);
    const roots = { size1: closed.size, size2: head.size, root1: closed.root, root2: head.root };
    return verifyConsistency(crypto, { ...roots, path });
  }

  async stats(): Promise<ChainStats> {
    const { size, note } = await this.#ledger.checkpoint();
    return {
      total_blocks: this.#blocks,
      total_entries: Number(size),
      pending_transactions: Number(size - this.#closed),
      memory_records: this.#capsules.size,
      latest_hash: toHex(openCheckpoint(this.#deps.crypto, note).root),
    };
  }

  hasCapsule(id: string): boolean {
    return this.#capsules.has(id);
  }

  async memoryRecord(id: string): Promise<MemoryRecord | undefined> {
    const index = this.#capsules.get(id);
    if (index === undefined) return undefined;
    for await (const { entry, hash, bytes } of this.#ledger.entries(index, index + 1n)) {
      return {
        capsule_id: id,
        cluster_id: capsuleForm.decode(entry.body).cluster,
        owner: entry.origin,
        index: Number(index),
        timestamp: entry.timeMs,
        hash: toHex(hash),
        entry: toHex(bytes),
        proof: toHex(await this.#ledger.prove(index)),
      };
    }
    return undefined;
  }

  /** Tokens given minus tokens taken, by receipts that both sides signed. */
  async balance(): Promise<number> {
    const { store } = this.#deps;
    const book = createReceiptBook({ ...this.#deps, store: store.room('receipts'), ledger: this.#ledger });
    const totals = await book.summary();
    return totals.reduce((sum, { side, promptTokens, answerTokens }) => {
      const tokens = promptTokens + answerTokens;
      return side === 'given' ? sum + tokens : sum - tokens;
    }, 0);
  }

  #noteBlock(index: bigint, note: string): void {
    this.#blocks += 1;
    this.#closed = index + 1n;
    this.#lastBlock = note;
  }

  /** A block and what it closes must not pass each other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work, work);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}
