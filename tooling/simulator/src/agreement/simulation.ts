import { createHash } from 'node:crypto';
import { byteName, type CryptoProvider, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { epochKind, faultsOf, type Genesis, membersPayload, readMembersPayload } from '@peerai/ledger/agreement';
import { createDice } from '../dice.ts';
import { createAgenda } from './agenda.ts';
import { cheapCrypto, identityOf } from './crypto.ts';
import { createLiars } from './liars.ts';
import { createLinks } from './link.ts';
import { createMember, type Member } from './member.ts';
import type { AgreementMutant } from './mutants.ts';
import { type GroupShape, shapeOf, wrongIn } from './shape.ts';

export interface AgreementSimulationOptions {
  /** Default 4 or 7, as the seed says. */
  readonly members?: number;
  /** How many of them lie. Default: as many as may, f. */
  readonly liars?: number;
  readonly mutant?: AgreementMutant | undefined;
  /** Default: all are linked. */
  readonly shape?: GroupShape;
  /** The liars say nothing at all, so each honest vote is needed everywhere. */
  readonly areSilent?: boolean;
  /** The longest wait for progress once all is healed, milliseconds. Default: two minutes. */
  readonly healingMs?: number;
  /** Default: signatures that cost a hash (`cheapCrypto`). */
  readonly crypto?: CryptoProvider;
}
export interface AgreementSimulationResult {
  readonly ok: boolean;
  readonly seed: number;
  readonly failure?: string;
  /** SHA-256 over all that happened: the same seed and options give the same. */
  readonly traceHash: string;
  readonly heights: number;
  /** Most views that one height took after healing. */
  readonly viewsAfterHealing: number;
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Milliseconds of the trouble, of the longest wait after it. */
const troubleMs = 5_000;
const healingMsMax = 120_000;
const times = { viewTimeoutMs: 300, viewTimeoutMsMax: 3_000, resendMs: 200, idleMs: 1_000 };
/** Views that a height may take once all is healed: the leaders that lie, twice, and those whose time began before the others were there. */
export const viewsMax = (members: number): number => 2 * faultsOf(members) + 4;

/** One group in one world that follows from a seed: links, disks and liars do their worst, then links and disks work, and the group must go on. */
export async function simulateAgreement(
  seed: number,
  options: AgreementSimulationOptions = {},
): Promise<AgreementSimulationResult> {
  const { mutant, crypto = cheapCrypto, shape: shapeName = 'full', healingMs = healingMsMax } = options;
  const dice = createDice(seed);
  const agenda = createAgenda();
  const count = options.members ?? (dice.chance(0.85) ? 4 : 7);
  const lying = options.liars ?? faultsOf(count);
  const identities = Array.from({ length: count + 1 }, (_, at) => identityOf(crypto, seed, at));
  const strangers = Array.from({ length: 2 }, (_, at) => identityOf(crypto, seed, 100 + at));
  const founders = identities.slice(0, count);
  const liars = founders.slice(0, lying);
  const peers = identities.map(({ peer }) => peer);
  const genesis: Genesis = {
    version: 1,
    name: `group ${seed}`,
    members: founders.map(({ peer }) => peer),
    nonce: new Uint8Array(16),
  };
  const trace = createHash('sha256');
  const counts = new Map<string, number>();
  const tally = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const chain = new Map<number, string>();
  const submitted = new Set<string>();
  const wanted = new Set<string>();
  const words = new Map<number, string>();
  /** Of the newest epoch anybody knows. */
  let inside: ReadonlySet<PeerId> = new Set(genesis.members);
  let failure: string | undefined;
  let healedAt: number | undefined;
  let views = 0;
  const fail = (what: string): void => void (failure ??= what);
  const note = (...words: readonly (string | number)[]): void =>
    void trace.update(`${agenda.nowMs} ${words.join(' ')}\n`);

  const members = new Map<PeerId, Member>();
  const deliver = (from: PeerId, to: PeerId, bytes: Uint8Array): void => {
    note('to', to, bytes.length);
    const member = members.get(to);
    if (member === undefined) lie.received(to, from, bytes);
    else member.receive(from, bytes);
  };
  const links = createLinks(agenda, dice, peers, deliver);
  // Keys follow from the seed, so their places are chance already. Who comes later is the last one.
  const shape = shapeOf(shapeName, dice, peers.slice(lying));
  const transmit = (from: PeerId, to: PeerId, bytes: Uint8Array): void => {
    if (shape.isLinked(from, to)) links.send(from, to, bytes);
  };
  for (const [at, identity] of identities.entries()) {
    if (at < lying) continue;
    const member: Member = createMember({
      agenda,
      dice,
      crypto,
      identity,
      genesis,
      times,
      mutant,
      send(to, bytes) {
        const wrong =
          shapeName !== 'full' && member.state !== undefined ? wrongIn(crypto, member.state, bytes) : undefined;
        if (wrong !== undefined) fail(wrong);
        transmit(identity.peer, to, bytes);
      },
      decided({ header, hash, entries, certificate }) {
        const name = byteName(hash);
        const known = chain.get(header.height);
        if (known !== undefined && known !== name) fail(`two blocks at height ${header.height}`);
        chain.set(header.height, name);
        note(identity.peer, 'decided', header.height, toHex(hash));
        tally('decided');
        if (healedAt === undefined && certificate.view > 1) tally('decided after a failed view');
        for (const { author, body, kind } of entries) {
          const word = `${author} ${byteName(body)}`;
          if (members.has(author) && !submitted.has(word)) fail('an entry that its author never wanted');
          if (kind === epochKind && known === undefined) {
            tally('members changed');
            inside = new Set(readMembersPayload(body));
            for (const one of wanted) if (!inside.has(one.split(' ', 1)[0] as PeerId)) wanted.delete(one);
          }
          wanted.delete(word);
        }
      },
      settled: () => tally('settled'),
      // It was no member for a while, without knowing it.
      dropped: (dropped) => wanted.delete(words.get(dropped) ?? ''),
      lied({ member: liar, kind }) {
        tally(`proven ${kind}`);
        if (members.has(liar)) fail(`an honest member is proven to have lied: ${kind}`);
      },
      stepped() {
        const { round } = member.state ?? {};
        if (round !== undefined && healedAt !== undefined) views = Math.max(views, round.view - viewAtHealing(member));
        lie.watched(member);
      },
    });
    members.set(identity.peer, member);
  }
  const honest = [...members.values()];
  const lie = createLiars({
    crypto,
    dice,
    seed,
    liars,
    strangers,
    honest,
    send: options.areSilent === true ? () => undefined : transmit,
  });
  /** A height that began before the healing counts from the view it had reached. */
  const reached = new Map<number, number>();
  const viewAtHealing = ({ state }: Member): number => reached.get(state?.place.height ?? -1) ?? 0;

  const starts: (() => Promise<void>)[] = honest.map((member) => () => member.start());
  let ticket = 0;
  const submit = (member: Member, isWanted: boolean): void => {
    const [body, kind] =
      !isWanted && dice.chance(0.1) && mayChange(member)
        ? [membersPayload(exchanged(member)).body, epochKind]
        : [utf8(`entry ${ticket}`), 'note'];
    const word = `${member.identity.peer} ${byteName(body)}`;
    submitted.add(word);
    if (isWanted) wanted.add(word);
    words.set((ticket += 1), word);
    member.submit(ticket, body, kind);
  };
  const isIn = ({ identity, state }: Member): boolean => state?.place.epoch.members.includes(identity.peer) ?? false;
  const mayChange = (member: Member): boolean => isIn(member) && lying <= faultsOf(count);
  /** The one who is outside comes in for an honest member: as many liars stay as the group may have. */
  const exchanged = ({ state }: Member): readonly PeerId[] => {
    const inside = state?.place.epoch.members ?? [];
    const outside = peers.find((peer) => !inside.includes(peer));
    if (outside === undefined) return inside;
    const without = (leaving: PeerId) => [...inside.filter((peer) => peer !== leaving), outside];
    const mayLeave = inside.filter((peer) => members.has(peer) && shape.isConnected(without(peer)));
    return mayLeave.length === 0 ? inside : without(dice.pick(mayLeave));
  };
  const isUp = new Set(honest);
  const crash = (member: Member): void => {
    if (!isUp.has(member)) return;
    tally('crash');
    note(member.identity.peer, 'dies');
    isUp.delete(member);
    member.kill();
    agenda.after(dice.below(1_500), () => starts.push(() => revive(member)));
  };
  const revive = async (member: Member): Promise<void> => {
    if (isUp.has(member)) return;
    isUp.add(member);
    await member.start();
  };
  for (let at = 0; at < 8; at += 1) agenda.after(dice.below(troubleMs), () => submit(dice.pick(honest), false));
  for (let at = 0; at < 6; at += 1) agenda.after(dice.below(troubleMs), () => links.trouble());
  for (let at = dice.below(6); at > 0; at -= 1) agenda.after(dice.below(troubleMs), () => crash(dice.pick(honest)));

  const run = async (untilMs: number, isDone: () => boolean): Promise<void> => {
    const goesOn = (): boolean => failure === undefined && !isDone() && agenda.next(untilMs);
    do for (const start of starts.splice(0)) await start();
    while (goesOn());
  };
  const end = (): AgreementSimulationResult => {
    if (failure !== undefined) note('wrong', failure);
    return {
      ok: failure === undefined,
      seed,
      ...(failure === undefined ? {} : { failure }),
      traceHash: trace.digest('hex'),
      heights: chain.size,
      viewsAfterHealing: views,
      counts,
    };
  };

  await run(troubleMs, () => false);
  if (failure !== undefined) return end();
  links.heal();
  for (const member of honest) starts.push(() => revive(member));
  await run(agenda.nowMs, () => starts.length === 0);
  for (const { state } of honest)
    if (state !== undefined)
      reached.set(state.place.height, Math.max(reached.get(state.place.height) ?? 0, state.round.view));
  healedAt = agenda.nowMs;
  note('healed');
  for (const member of honest.filter((one) => isIn(one) && inside.has(one.identity.peer))) submit(member, true);
  await run(agenda.nowMs + healingMs, () => wanted.size === 0);
  if (wanted.size > 0) fail(`${wanted.size} entries are not decided ${healingMs} ms after healing`);
  if (views > viewsMax(count)) fail(`a height took ${views} views after healing`);
  return end();
}
