import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import {
  type Deed,
  directScore,
  evidence,
  isOver,
  isProof,
  openOpinion,
  type Opinion,
  reputationLimits,
  type Score,
  scoreOf,
  signOpinion,
  trustIn,
} from '@peerai/ledger/reputation';
import type { ControlEvent } from '../control/events.ts';
import type { Devices } from '../pairing/devices.ts';
import { deedIn, deedOf } from './deeds-seen.ts';
import { standingLimits as limits } from './limits.ts';
import { openOpinions } from './opinions.ts';
import { reputationMethod } from './reputation-protocol.ts';
import type { ReputationsView, ReputationView } from './reputation.schema.ts';
import { openStandings } from './standings.ts';
import { deedText, lineText } from './words.ts';

export interface ReputationRoomDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly network: Network;
  /** The room of reputation. */
  readonly store: Store;
  readonly devices: Devices;
  readonly nameOf: (peer: PeerId) => string;
  readonly isOnline: (peer: PeerId) => boolean;
  /** Below it nobody gets a new lease here. */
  readonly admissionMin: number;
  /** Ends what a peer has here, and its links. */
  readonly cutOff: (peer: PeerId) => Promise<void>;
  /** Tries a device again now. */
  readonly nudge: (peer: PeerId) => void;
  readonly stopping: AbortSignal;
}
/** Who did what here, what is made of it, and what others say. */
export interface ReputationRoom {
  /** Durable when it resolves. Deeds of nobody paired count only when they are proofs. Throws what the store throws. */
  note(peer: PeerId, deed: Deed, id: string): Promise<void>;
  see(event: ControlEvent): Promise<void>;
  failed(peer: PeerId, error: unknown): Promise<void>;
  score(peer: PeerId): number;
  isRefused(peer: PeerId): boolean;
  list(): ReputationsView;
  /** By name or id of a device, or the id of anybody known. Throws DEVICE_UNKNOWN. */
  get(text: string): ReputationView;
  /** Throws DEVICE_UNKNOWN, and what the store throws. */
  letIn(text: string): Promise<ReputationView>;
  /** Signed, of those asked about that this peer has dealt with itself. */
  opinionsFor(asker: PeerId, subjects: readonly Uint8Array[]): readonly Uint8Array[];
  met(peer: PeerId): Promise<void>;
  /** Asks devices now and then, until the peer stops. */
  run(): Promise<void>;
}

/** Throws what the store throws. */
export async function openReputationRoom(deps: ReputationRoomDeps): Promise<ReputationRoom> {
  const { identity, clock, crypto, devices, logger } = deps;
  const self = identity.peer;
  const standings = await openStandings(deps.store);
  const opinions = await openOpinions(deps.store);
  const ids = new Set<string>();
  const askedMs = new Map<PeerId, number>();
  let failures = 0;

  const direct = (peer: PeerId): number => directScore(standings.get(peer), clock.nowMs()).score;
  const scoreFor = (peer: PeerId): Score => {
    const nowMs = clock.nowMs();
    const isFresh = ({ timeMs }: Opinion): boolean => nowMs - timeMs <= reputationLimits.opinionAgeMsMax;
    // Whose word counts is a device, here and now: what a removed one said is not kept in mind.
    const said = opinions
      .about(peer)
      .filter((opinion) => isFresh(opinion) && devices.get(opinion.teller)?.blocked === false)
      .map(({ teller, score, good, bad }) => ({ teller, score, units: good + bad, trust: trustIn(direct(teller)) }));
    return scoreOf(standings.get(peer), said, nowMs);
  };
  const isRefused = (peer: PeerId): boolean => {
    const refusal = standings.refusal(peer);
    return refusal !== undefined && !isOver(refusal, clock.nowMs());
  };
  const isNew = (id: string): boolean => {
    if (ids.has(id)) return false;
    ids.add(id);
    const [oldest] = ids;
    if (ids.size > limits.idsKeptMax && oldest !== undefined) ids.delete(oldest);
    return true;
  };
  const note = async (peer: PeerId, deed: Deed, id: string): Promise<void> => {
    if (peer === self || (devices.get(peer) === undefined && !isProof(deed)) || !isNew(`${peer}/${deed}/${id}`)) return;
    const refusal = await standings.note(peer, { id, deed, timeMs: clock.nowMs() });
    if (refusal === undefined) return;
    logger.warn('peer-refused', { peer, deed, strikes: refusal.strikes, untilMs: refusal.untilMs });
    await deps.cutOff(peer);
  };
  const viewOf = (peer: PeerId): ReputationView => {
    const nowMs = clock.nowMs();
    const { score, lines } = scoreFor(peer);
    const refusal = standings.refusal(peer);
    return {
      peerId: peer,
      name: deps.nameOf(peer),
      paired: devices.get(peer) !== undefined,
      score,
      lines: lines.map((line) => ({
        reason: line.reason,
        text: lineText(line, (teller) => deps.nameOf(teller as PeerId)),
        contribution: line.contribution,
        times: 'times' in line ? line.times : null,
      })),
      refused:
        refusal === undefined || isOver(refusal, nowMs)
          ? null
          : { ...refusal, text: deedText(refusal.deed, 1), leftMs: refusal.untilMs - nowMs },
    };
  };
  const find = (text: string): PeerId => standings.peers().find((peer) => peer === text) ?? devices.find(text).peer;

  /** A peer's words over its own link. A wrong signature there is its own doing. */
  const take = async (teller: PeerId, signed: readonly Uint8Array[], subjects: readonly PeerId[]): Promise<void> => {
    const said = new Map<PeerId, Opinion>();
    for (const bytes of signed) {
      try {
        const opinion = openOpinion(crypto, bytes, clock.nowMs());
        if (opinion.teller === teller && subjects.includes(opinion.subject)) said.set(opinion.subject, opinion);
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
        logger.debug('opinion-left-out', { teller, code: error.code });
        if (error.code === 'INVALID_SIGNATURE') await note(teller, 'forgery', toHex(crypto.sha256(bytes)));
      }
    }
    await opinions.replace(teller, [...said.values()]);
  };
  const met = async (teller: PeerId): Promise<void> => {
    const sinceMs = clock.nowMs() - (askedMs.get(teller) ?? -Infinity);
    // Of no weight, so not asked for.
    if (sinceMs < limits.askEveryMs || isRefused(teller) || trustIn(direct(teller)) === 0) return;
    const subjects = devices
      .list()
      .map(({ peer }) => peer)
      .filter((peer) => peer !== teller)
      .slice(0, limits.subjectsMax);
    if (subjects.length === 0) return;
    askedMs.set(teller, clock.nowMs());
    try {
      const question = { version: 1, subjects: subjects.map(publicKeyFromPeerId) };
      const answer = await callMethod(deps, teller, reputationMethod, question, { signal: deps.stopping });
      await take(teller, answer.opinions, subjects);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      logger.debug('opinions-not-heard', { peer: teller, code: error.code });
    }
  };

  return {
    note,
    isRefused,
    score: (peer) => (peer === self ? 1 : scoreFor(peer).score),
    async see(event) {
      const seen = deedIn(event, self);
      if (seen !== undefined) await note(seen.peer, seen.deed, seen.id);
    },
    async failed(peer, error) {
      const deed = deedOf(error);
      failures += 1;
      if (deed !== undefined) await note(peer, deed, `failure/${clock.nowMs()}/${failures}`);
    },
    list() {
      const paired = devices.list().map(({ peer }) => peer);
      const others = standings.peers().filter((peer) => !paired.includes(peer));
      const { strangerScore, refuseBelow } = reputationLimits;
      return {
        v: 1,
        peers: [...paired, ...others].map(viewOf),
        strangerScore,
        refuseBelow,
        admissionMin: deps.admissionMin,
      };
    },
    get: (text) => viewOf(find(text)),
    async letIn(text) {
      const peer = find(text);
      if (await standings.letIn(peer, clock.nowMs())) deps.nudge(peer);
      return viewOf(peer);
    },
    opinionsFor(asker, subjects) {
      const nowMs = clock.nowMs();
      return subjects.flatMap((key) => {
        const subject = peerIdFromPublicKey(key);
        const { good, bad } = evidence(standings.get(subject), nowMs);
        if (subject === asker || subject === self || good + bad === 0) return [];
        return [signOpinion(identity, { subject, score: direct(subject), good, bad, timeMs: nowMs })];
      });
    },
    met,
    async run() {
      for (const peer of standings.peers()) if (isRefused(peer)) await deps.cutOff(peer);
      while (!deps.stopping.aborted) {
        await clock.sleep(limits.askEveryMs, deps.stopping).catch(() => undefined);
        for (const { peer } of devices.list()) if (!deps.stopping.aborted && deps.isOnline(peer)) await met(peer);
      }
    },
  };
}
