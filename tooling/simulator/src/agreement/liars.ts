import { type CryptoProvider, type Identity, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { leaderOf, type SignedStatement, type StatementKind } from '@peerai/ledger/agreement';
import {
  type AgreementState,
  certificateOf,
  decodeMessage,
  decodeStatement,
  draftOf,
  type Draft,
  encodeBlock,
  encodeDraft,
  encodeMessage,
  encodeStatement,
  noBlock,
  signEntry,
  signStatement,
} from '@peerai/ledger/agreement/parts';
import type { Dice } from '../dice.ts';
import type { Member } from './member.ts';

/** Members that lie together, with all keys of them in one hand. They see each honest member's state, and are as quick as the links let them be. */
export interface Liars {
  /** What one of them was sent. */
  received(to: PeerId, from: PeerId, bytes: Uint8Array): void;
  /** An honest member came somewhere. */
  watched(member: Member): void;
}
export interface LiarsDeps {
  readonly crypto: CryptoProvider;
  readonly dice: Dice;
  readonly seed: number;
  readonly liars: readonly Identity[];
  /** Keys that are in no epoch. */
  readonly strangers: readonly Identity[];
  readonly honest: readonly Member[];
  readonly send: (from: PeerId, to: PeerId, bytes: Uint8Array) => void;
}

/** What was sent to liars and is sent again later, count. */
const replayedMax = 40;

export function createLiars({ crypto, dice, seed, liars, strangers, honest, send }: LiarsDeps): Liars {
  const random = seededRandom(seed ^ 0x11a5);
  const replayed: Uint8Array[] = [];
  const led = new Map<string, readonly [Draft, Draft]>();
  const someone = (): Member => dice.pick(honest);
  const tell = (to: Member, from: Identity, parts: Parameters<typeof encodeMessage>[0]): void =>
    send(from.peer, to.identity.peer, encodeMessage(parts));

  const votes = (state: AgreementState, kind: StatementKind, view: number, block: Uint8Array): SignedStatement[] => {
    const { group, epoch, height } = state.place;
    const statement = { kind, group, epoch: epoch.number, height: height + 1, view, parent: 0, block };
    return [...liars, ...strangers].map((one) => signStatement(one, statement));
  };
  /** All that a member needs from liars to have this block decided, as far as it goes by liars. */
  const push = (to: Member, state: AgreementState, view: number, draft: Pick<Draft, 'hash'>): void => {
    const notarize = votes(state, 'notarize', view, draft.hash);
    const finalize = votes(state, 'finalize', view, draft.hash);
    for (const [at, vote] of notarize.entries())
      tell(to, dice.pick(liars), { votes: [vote, finalize[at] ?? vote].map(encodeStatement) });
  };
  /** Two blocks for one view, one for each half of the honest members. */
  const lead = (state: AgreementState, leader: Identity, view: number): void => {
    const { group, height, epoch, hash: previous, numbers } = state.place;
    const name = `${height} ${view} ${leader.peer}`;
    const number = (numbers.get(leader.peer) ?? 0) + 1;
    const draft = (mark: number): Draft =>
      draftOf(crypto, { group, height: height + 1, epoch: epoch.number, previous, timeMs: mark }, [
        signEntry(leader, group, number, { kind: 'lie', body: Uint8Array.of(mark, view) }),
      ]);
    const drafts = led.get(name) ?? ([draft(1), draft(2)] as const);
    const isFirst = !led.has(name);
    led.set(name, drafts);
    const isFair = isFirst && dice.chance(0.2);
    for (const [at, member] of honest.entries()) {
      const mine = drafts[isFair ? 0 : (at + (isFirst ? 0 : 1)) % 2] as Draft;
      const [proposal] = votes(state, 'propose', view, mine.hash).filter(({ signer }) => signer === leader.peer);
      if (proposal === undefined || dice.chance(0.2)) continue;
      tell(member, leader, { proposal: encodeStatement(proposal), draft: encodeDraft(mine) });
      push(member, state, view, mine);
    }
  };
  /** A block that nobody voted for, with a certificate of liars alone. */
  const forge = (state: AgreementState, to: Member): void => {
    const { group, height, epoch, hash: previous, numbers } = state.place;
    const author = dice.pick(liars);
    const entry = signEntry(author, group, (numbers.get(author.peer) ?? 0) + 1, {
      kind: 'lie',
      body: Uint8Array.of(dice.below(256)),
    });
    const header = { group, height: height + 1, epoch: epoch.number, previous, timeMs: 3 };
    const draft = draftOf(crypto, header, [entry]);
    const certificate = certificateOf('finalize', epoch, votes(state, 'finalize', 1, draft.hash));
    const blocks = [encodeBlock({ ...draft, certificate })];
    tell(to, author, dice.chance(0.5) ? { blocks } : { certificates: [certificate], draft: encodeDraft(draft) });
  };
  const noise = (from: Identity, bytes: Uint8Array): void => {
    if (replayed.length < replayedMax) replayed.push(bytes);
    else replayed[dice.below(replayedMax)] = bytes;
    if (dice.chance(0.1)) send(from.peer, someone().identity.peer, mutated(dice.pick(replayed), random));
    if (dice.chance(0.1)) send(from.peer, someone().identity.peer, dice.pick(replayed));
  };
  return {
    received(to, from, bytes) {
      const liar = liars.find(({ peer }) => peer === to);
      const member = honest.find(({ identity }) => identity.peer === from);
      if (liar === undefined) return;
      noise(liar, bytes);
      const state = member?.state;
      if (member === undefined || state === undefined || dice.chance(0.7)) return;
      for (const { height, view, block, kind } of statementsIn(bytes)) {
        if (height !== state.place.height + 1) continue;
        if (kind !== 'nullify' && dice.chance(0.5)) push(member, state, view, { hash: block });
        if (dice.chance(0.3))
          for (const vote of votes(state, 'nullify', view, noBlock))
            tell(member, liar, { votes: [encodeStatement(vote)] });
        if (dice.chance(0.05)) forge(state, member);
      }
    },
    watched({ state }) {
      if (state === undefined || liars.length === 0) return;
      const { place, round } = state;
      const leader = leaderOf(place.epoch, place.height + 1, round.view);
      const liar = liars.find(({ peer }) => peer === leader);
      if (liar === undefined) return;
      const isNew = !led.has(`${place.height} ${round.view} ${leader}`);
      if (isNew || dice.chance(0.01)) lead(state, liar, round.view);
    },
  };
}

function statementsIn(bytes: Uint8Array): readonly SignedStatement[] {
  try {
    const { proposal, votes } = decodeMessage(bytes);
    return [...(proposal === undefined ? [] : [proposal]), ...votes].map(decodeStatement);
  } catch (error) {
    if (PeerAiError.is(error)) return [];
    throw error;
  }
}
