import type { CryptoProvider, Identity, PeerId } from '@peerai/core-protocol';
import type { Draft } from './block.ts';
import type { ChainPlace } from './place.ts';
import type { Rules } from './rules.ts';
import type {
  AgreementDeps,
  AgreementEffect,
  Certificate,
  ChainEntry,
  SignedStatement,
  StatementKind,
  Way,
} from './types.ts';
import type { EntryBody } from '@peerai/core-protocol';

/** What a certificate of each kind makes of its view. */
export const certified = { notarize: 'notarized', nullify: 'nullified', finalize: 'finalized' } as const;
/** One attempt at a height. Every statement and certificate in it was checked. */
export interface ViewState {
  /** The first statement of each kind of each member, its own among them: `<kind> <signer>`. */
  readonly statements: ReadonlyMap<string, SignedStatement>;
  readonly notarized: Certificate | undefined;
  readonly nullified: Certificate | undefined;
  readonly finalized: Certificate | undefined;
}
/** The height that is being decided. */
export interface Round {
  readonly view: number;
  /** When this view is given up, `nowMs`; undefined while there is nothing to decide. */
  readonly deadlineMs: number | undefined;
  readonly views: ReadonlyMap<number, ViewState>;
  /** Blocks that may come next, by the name of their hash (`byteName`). */
  readonly drafts: ReadonlyMap<string, Draft>;
  /** What the store holds of this height: gone when it is decided. */
  readonly rows: ReadonlySet<string>;
}
/** What this member wants in the chain, in order. */
export interface OwnEntry {
  readonly ticket: number;
  readonly payload: EntryBody;
  readonly entry: ChainEntry;
}
export interface AgreementState {
  readonly place: ChainPlace;
  readonly round: Round;
  readonly own: readonly OwnEntry[];
  /** Entries of others that wait, by author and number. */
  readonly pool: ReadonlyMap<PeerId, ReadonlyMap<number, ChainEntry>>;
  /** Messages for the next height, by sender. */
  readonly early: ReadonlyMap<PeerId, readonly Uint8Array[]>;
  readonly heard: ReadonlyMap<PeerId, number>;
  /** Whom each member says that it hears over its own links. */
  readonly hearsOf: ReadonlyMap<PeerId, ReadonlySet<PeerId>>;
  /** What others say of members that they hear or heard of. */
  readonly wayTo: ReadonlyMap<PeerId, Way>;
  /** Entries of others that were handed on at this height, by author: names of their hashes. */
  readonly carried: ReadonlyMap<PeerId, ReadonlySet<string>>;
  /** Whom this member answered last when, and at which height the other was. */
  readonly answered: ReadonlyMap<PeerId, { readonly atMs: number; readonly height: number }>;
  readonly asked: ReadonlyMap<PeerId, number>;
  /** When peers were asked that the chain so far does not name and that did not answer yet, oldest first. */
  readonly unknown: ReadonlyMap<PeerId, number>;
  /** Proven lies: `<member>/<kind>`. */
  readonly lies: ReadonlySet<string>;
  /** When this member speaks up again without being asked, `nowMs`. */
  readonly talkMs: number;
  /** Since when there is something to decide, `nowMs`. */
  readonly busyMs: number | undefined;
  readonly wakeMs: number;
}

/** What a statement was to this member: checked and not here before; here before or of another place; or of nobody who may say it. */
export type Learned = 'new' | 'old' | 'wrong';

/** Milliseconds. */
export interface Times {
  readonly viewTimeoutMs: number;
  readonly viewTimeoutMsMax: number;
  readonly resendMs: number;
  readonly idleMs: number;
}
/** What does not change while a member runs. */
export interface Parts {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly judge: AgreementDeps['judge'];
  readonly rules: Rules;
  readonly times: Times;
}
/** One step under way: the state so far, and what follows from it. */
export interface Turn {
  readonly parts: Parts;
  readonly nowMs: number;
  readonly timeMs: number;
  readonly effects: AgreementEffect[];
  state: AgreementState;
}

export const noView: ViewState = {
  statements: new Map(),
  notarized: undefined,
  nullified: undefined,
  finalized: undefined,
};
export const emptyRound: Round = {
  view: 1,
  deadlineMs: undefined,
  views: new Map(),
  drafts: new Map(),
  rows: new Set(),
};
export const stateAt = (place: ChainPlace, round: Round = emptyRound): AgreementState => ({
  place,
  round,
  own: [],
  pool: new Map(),
  early: new Map(),
  heard: new Map(),
  hearsOf: new Map(),
  wayTo: new Map(),
  carried: new Map(),
  answered: new Map(),
  asked: new Map(),
  unknown: new Map(),
  lies: new Set(),
  talkMs: 0,
  busyMs: undefined,
  wakeMs: -1,
});

export const withEntry = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> =>
  new Map(map).set(key, value);
export const viewAt = ({ round }: AgreementState, view: number): ViewState => round.views.get(view) ?? noView;
export const statementName = (kind: StatementKind, signer: PeerId): string => `${kind} ${signer}`;
/** What this member said itself. */
export const ownStatement = (
  { state, parts }: Turn,
  kind: StatementKind,
  view: number = state.round.view,
): SignedStatement | undefined => viewAt(state, view).statements.get(statementName(kind, parts.identity.peer));

export const heightOf = ({ place }: AgreementState): number => place.height + 1;
export const isMember = ({ state, parts }: Turn, peer: PeerId = parts.identity.peer): boolean =>
  parts.rules.isMember(state.place.epoch, peer);

export function setRound(turn: Turn, change: Partial<Round>): void {
  turn.state = { ...turn.state, round: { ...turn.state.round, ...change } };
}
export function setView(turn: Turn, view: number, change: Partial<ViewState>): void {
  const { views } = turn.state.round;
  setRound(turn, { views: withEntry(views, view, { ...viewAt(turn.state, view), ...change }) });
}
/** A row that is gone when this height is decided. */
export function keepRow(turn: Turn, key: string, value: Uint8Array): void {
  turn.effects.push({ type: 'persist', key, value });
  setRound(turn, { rows: new Set(turn.state.round.rows).add(key) });
}
export function broadcast(turn: Turn, bytes: Uint8Array): void {
  turn.effects.push({ type: 'broadcast', bytes });
}
