import type { CryptoProvider, EntryBody, Identity, Logger, PeerId, Store, Clock } from '@peerai/core-protocol';

/**
 * How a group begins. All members and all who check its chain need the same one; the group's id is the hash of its bytes (`groupIdOf`).
 * Whoever founds the group makes it and gives it to the others, as an invitation does.
 */
export interface Genesis {
  readonly version: 1;
  /** For people, 1 to 64 UTF-8 bytes. */
  readonly name: string;
  /** Epoch 0: 1 to 32 different peers, in any order. An allow-list: who may become a member is the group's own decision. */
  readonly members: readonly PeerId[];
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}

/** The members from one height on. Block `fromHeight − 1` carried the entry that began it. */
export interface Epoch {
  /** 0 in the genesis, one more for each change. */
  readonly number: number;
  /** Sorted by their UTF-8 bytes; a place in this list is a place in a certificate. */
  readonly members: readonly PeerId[];
  readonly fromHeight: number;
}

/** What one member wants in the chain: signed by it and numbered from 1 without gaps, so that nobody else can write in its name, or the same twice. */
export interface ChainEntry extends EntryBody {
  readonly author: PeerId;
  /** The author's entries in this chain before this one, plus one. */
  readonly number: number;
  /** 64 bytes, over the group's id and all of the above. */
  readonly signature: Uint8Array;
}

export interface BlockHeader {
  readonly version: 1;
  /** 32 bytes. */
  readonly group: Uint8Array;
  /** From 1. */
  readonly height: number;
  /** The epoch whose members decide this block. */
  readonly epoch: number;
  /** Hash of the block before, 32 bytes; of the first block the group's id. */
  readonly previous: Uint8Array;
  /** RFC 6962 tree hash of the entries' bytes, 32 bytes. */
  readonly root: Uint8Array;
  /** The first proposer's wall clock, milliseconds: a claim, not a proof of time. */
  readonly timeMs: number;
}

/**
 * What a member states under its key. In the words of PBFT: `propose` is pre-prepare, `notarize` prepare, `finalize` commit, `nullify` view-change
 * (`pbftNames`).
 */
export type StatementKind = 'propose' | 'notarize' | 'nullify' | 'finalize';
export interface Statement {
  readonly kind: StatementKind;
  readonly group: Uint8Array;
  readonly epoch: number;
  readonly height: number;
  /** Attempts at one height, from 1; each has its leader. */
  readonly view: number;
  /** `propose`: the view whose notarized block is proposed again, 0 for a fresh block; 0 in all others. */
  readonly parent: number;
  /** The block's hash, 32 bytes; none in `nullify`. */
  readonly block: Uint8Array;
}
export interface SignedStatement extends Statement {
  readonly signer: PeerId;
  readonly signature: Uint8Array;
}

/** The same statement of a quorum (n − f, f = ⌊(n − 1) / 3⌋) of one epoch's members. */
export interface Certificate {
  readonly kind: 'notarize' | 'nullify' | 'finalize';
  readonly epoch: number;
  readonly height: number;
  readonly view: number;
  /** 32 bytes; none in `nullify`. */
  readonly block: Uint8Array;
  /** One bit for each member of the epoch in its order, the first in the lowest bit of the first byte; ⌈n / 8⌉ bytes. */
  readonly signers: Uint8Array;
  /** 64 bytes for each bit that is set, in its order. */
  readonly signatures: readonly Uint8Array[];
}

/** A decided block: anybody who has the genesis and the blocks before can check it offline. */
export interface Block {
  readonly header: BlockHeader;
  /** SHA-256 of the header's bytes. */
  readonly hash: Uint8Array;
  readonly entries: readonly ChainEntry[];
  /** Of kind `finalize`, for this hash. */
  readonly certificate: Certificate;
}

/** Two signed statements of one member that no honest member makes; `verifyEvidence` checks their bytes offline. */
export interface Evidence {
  readonly kind: 'conflicting-propose' | 'conflicting-notarize' | 'conflicting-finalize' | 'nullify-and-finalize';
  readonly member: PeerId;
  readonly epoch: number;
  readonly height: number;
  readonly view: number;
  /** At most `evidenceBytesMax`. */
  readonly bytes: Uint8Array;
}

export interface Wish {
  readonly ticket: number;
  readonly payload: EntryBody;
}
/** What happens to a member; `nowMs` of the step is time since some start (`Clock.elapsedMs`), never the wall clock. */
export type AgreementEvent =
  | { readonly type: 'started'; readonly timeMs: number }
  /** This member wants this in the chain, best in one block. `ticket` names it in `settled`; `timeMs` is the wall clock for a block it may propose. */
  | { readonly type: 'submitted'; readonly wishes: readonly Wish[]; readonly timeMs: number }
  | { readonly type: 'received'; readonly from: PeerId; readonly bytes: Uint8Array; readonly timeMs: number }
  | { readonly type: 'ticked'; readonly timeMs: number };

/** What a member does next. All `persist` effects of a step are on disk, in one commit, before any other of them begins. */
export type AgreementEffect =
  | { readonly type: 'persist'; readonly key: string; readonly value: Uint8Array | undefined }
  | { readonly type: 'broadcast'; readonly bytes: Uint8Array }
  | { readonly type: 'send'; readonly to: PeerId; readonly bytes: Uint8Array }
  /** The other side is behind: blocks from this height on, out of the store. */
  | { readonly type: 'send-blocks'; readonly to: PeerId; readonly fromHeight: number }
  | { readonly type: 'decided'; readonly block: Block; readonly bytes: Uint8Array }
  | { readonly type: 'settled'; readonly ticket: number; readonly height: number; readonly index: number }
  /** This member is none any more, so its entry is in no block to come. */
  | { readonly type: 'dropped'; readonly ticket: number }
  /** A `ticked` is due at this `nowMs`; replaces the one before. */
  | { readonly type: 'wake'; readonly atMs: number }
  | { readonly type: 'lied'; readonly evidence: Evidence };

/**
 * The way between members. It may lose, delay, repeat and reorder; the protocol sends again. It must say truly who sent something: votes are signed
 * and may be handed on, but what a member is sent in answer goes to whom the link named. At most `messageBytesMax` bytes a message.
 */
export interface AgreementLink {
  /** To these members, without waiting; never throws. One publish on a topic is as good as one send each. */
  broadcast(to: readonly PeerId[], bytes: Uint8Array): void;
  /** To one member, without waiting; never throws. */
  send(to: PeerId, bytes: Uint8Array): void;
  /** Calls `handler` for each message of this group until the function returned is called. */
  receive(handler: (from: PeerId, bytes: Uint8Array) => void): () => void;
}

export interface AgreementDeps {
  /** A room that nobody else writes, one for each group. Votes are in it before they are sent; who loses it must leave the group and come back under another key. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
  /** The key under which this peer is, or is to become, a member. */
  readonly identity: Identity;
  readonly clock: Clock;
  readonly link: AgreementLink;
  /**
   * Whether this member agrees to an entry: synchronous, a function of the decided chain and of what its owner chose, best the same at all honest
   * members. It is asked before a block is proposed or voted for, and may change its mind between. What a quorum does not agree to is in no block.
   * Entries of kind `epochKind` change the members: without a rule of your own, answer false.
   */
  readonly judge: (entry: ChainEntry, at: { readonly height: number; readonly epoch: Epoch }) => boolean;
  /** Hears of each proven lie once, after it is on disk. */
  readonly lied?: (evidence: Evidence) => void;
  readonly logger?: Logger;
}
export interface AgreementOptions {
  readonly genesis: Genesis;
  /** Milliseconds; the defaults are those of `agreementLimits`. */
  readonly viewTimeoutMs?: number;
  readonly viewTimeoutMsMax?: number;
  readonly resendMs?: number;
  readonly idleMs?: number;
}

/** How another member is reached. */
export interface Way {
  /** The member that heard it, or heard of it from others; undefined where this one hears it over its own link. */
  readonly via: PeerId | undefined;
  /** When it was last heard there, milliseconds of `clock.elapsedMs()`, as far as `via` may be believed. */
  readonly atMs: number;
}

export interface AgreementStatus {
  /** 32 bytes. */
  readonly group: Uint8Array;
  readonly epoch: Epoch;
  /** The newest decided block's; 0 when there is none. */
  readonly height: number;
  /** Its hash; the group's id when there is none. */
  readonly head: Uint8Array;
  /** The attempt at the next height, and whose turn it is to propose. */
  readonly view: number;
  readonly leader: PeerId;
  /** How far that attempt is here: `propose` once the leader's proposal came, then what this member said last; undefined before. */
  readonly phase: StatementKind | undefined;
  readonly isMember: boolean;
  /** Signatures that a certificate needs. */
  readonly quorum: number;
  /** Entries that wait for a block here, of all authors. */
  readonly pending: number;
  /** Members heard from since the start, and when last, milliseconds of `clock.elapsedMs()`. */
  readonly heard: ReadonlyMap<PeerId, number>;
  /** Of each other member of the epoch that somebody heard in the last four minutes. */
  readonly ways: ReadonlyMap<PeerId, Way>;
  /** Members proven to have lied, oldest first. */
  readonly liars: readonly PeerId[];
  /** What each of them is proven to have done. */
  readonly lies: ReadonlyMap<PeerId, readonly Evidence['kind'][]>;
}
export interface Decision {
  readonly block: Block;
  /** The place in `block.entries`. */
  readonly index: number;
}

/** One peer's part in one group that decides one chain. */
export interface Agreement {
  readonly group: Uint8Array;
  /** Listens and takes part; safe to call twice. Rejects with the store's error. */
  start(): Promise<void>;
  /** Resolves when nothing of this group runs here any more; what was proposed and is not decided rejects with ABORTED. Safe to call twice. */
  stop(): Promise<void>;
  /**
   * Resolves when the payload is in a decided block. Payloads of one call after another keep their order. After an abort it may still be decided
   * when it was sent already. Throws LIMIT_EXCEEDED and INVALID_FORMAT for what no block takes, LIMIT_REACHED when too many wait, REFUSED when this
   * peer is no member or its own `judge` says no, the signal's reason, ABORTED.
   */
  propose(payload: EntryBody, signal: AbortSignal): Promise<Decision>;
  /** The same for several that belong together: told in one message, so that one block takes them where it has room. LIMIT_EXCEEDED for more than fit one. */
  proposeAll(payloads: readonly EntryBody[], signal: AbortSignal): Promise<readonly Decision[]>;
  /** Decided blocks from a height on (from 1), then each new one, until the signal fires; ends without an error then. */
  decisions(fromHeight: number, signal: AbortSignal): AsyncIterable<Block>;
  /** The bytes of decided blocks as they are stored, `from` inclusive, `to` exclusive, for `verifyChain` and for a file. */
  blocks(fromHeight: number, toHeight: number): AsyncIterable<Uint8Array>;
  /** Proven lies, oldest first. */
  evidence(): Promise<readonly Evidence[]>;
  status(): AgreementStatus;
}

/** `createAgreement(deps, options)`: reads what the store holds of this group. Throws INVALID_FORMAT for a wrong genesis, LEDGER_DAMAGED for damaged rows. */
export type CreateAgreement = (deps: AgreementDeps, options: AgreementOptions) => Promise<Agreement>;
