import {
  type Clock,
  type CryptoProvider,
  type EntryBody,
  fromBase64Url,
  type Identity,
  type Logger,
  orAborted,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import {
  type Agreement,
  type AgreementLink,
  type AgreementStatus,
  type Block,
  createAgreement,
  decodeGenesis,
  epochKind,
  type Genesis,
  groupIdOf,
  readMembersPayload,
} from '@peerai/ledger/agreement';
import {
  type BallotBooth,
  decodeStatement,
  encodeStatement,
  foldBlock,
  governanceKind,
  type GovernanceState,
  initialState,
  type Outcome,
  type Said,
} from '@peerai/ledger/governance';
import type { PeerErrorCode } from '../errors.ts';
import type { DecisionStatement } from '../ledger/decision-statement.ts';
import { createKeptOutcomes } from './kept-outcomes.ts';
import { governanceRoomLimits as limits } from './limits.ts';

export interface GroupDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly booth: BallotBooth;
  readonly link: (group: string) => AgreementLink;
  /** A block that this peer was a member for; at each start all that are kept come again. */
  readonly decided: (said: DecisionStatement) => Promise<void>;
  /** What was kept of votes that this block ended can go; comes again at each start as well. */
  readonly ended: (group: string, before: GovernanceState, after: GovernanceState) => Promise<void>;
  /** A block was decided and its decisions are done. */
  readonly changed: (group: string, state: GovernanceState, before: GovernanceState) => void;
}
/** One line of a group's log. */
export interface LogLine extends Outcome {
  readonly height: number;
  /** What a member of the block's proposer's clock said, milliseconds. */
  readonly blockMs: number;
  readonly isEpoch: boolean;
}
/** A group whose chain this peer follows and, when it is a member, decides with. */
export interface RunningGroup {
  readonly id: string;
  readonly genesis: Genesis;
  state(): GovernanceState;
  status(): AgreementStatus;
  /** Newest last; since this start of the peer all blocks are read again, so the chain's last `logKept`. */
  log(): readonly LogLine[];
  /** Resolves when it is decided, with what became of it. Throws REFUSED, LIMIT_REACHED, TIMEOUT. */
  say(said: Said, signal: AbortSignal): Promise<Outcome>;
  /** Any entry, such as the one that begins an epoch. */
  submit(payload: EntryBody, signal: AbortSignal): Promise<Outcome>;
  blocks(from: number, to: number): AsyncIterable<Uint8Array>;
  evidence(): ReturnType<Agreement['evidence']>;
  stop(): Promise<void>;
}

export async function runGroup(deps: GroupDeps, genesisBytes: string): Promise<RunningGroup> {
  const { crypto, clock, identity } = deps;
  const genesis = decodeGenesis(fromBase64Url(genesisBytes));
  const id = toHex(groupIdOf(crypto, genesis));
  const ending = new AbortController();
  let state = initialState(id, genesis);
  const lines: LogLine[] = [];
  const folded = createKeptOutcomes();
  let waiting: (() => void)[] = [];
  const broken = new AbortController();

  const agreement = await createAgreement(
    {
      store: deps.store.room(`agreement-${id.slice(0, 32)}`),
      crypto,
      identity,
      clock,
      link: deps.link(id),
      logger: deps.logger,
      judge: ({ kind, body }, at) => judged(kind, body, state, at.height),
    },
    { genesis },
  );
  const wakeAll = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };
  const take = async (block: Block): Promise<void> => {
    const before = state;
    const { height, timeMs } = block.header;
    const { state: after, outcomes } = await foldBlock({ crypto, ballots: deps.booth }, before, block);
    state = after;
    folded.take(height, outcomes);
    for (const [place, outcome] of outcomes.entries())
      lines.push({ ...outcome, height, blockMs: timeMs, isEpoch: block.entries[place]?.kind === epochKind });
    if (lines.length > limits.logKept) lines.splice(0, lines.length - limits.logKept);
    if (before.members.includes(identity.peer)) await deps.decided({ group: id, height, block: toHex(block.hash) });
    await deps.ended(id, before, after);
    wakeAll();
    deps.changed(id, after, before);
  };
  const follow = async (): Promise<void> => {
    for await (const block of agreement.decisions(1, ending.signal)) await take(block);
  };
  // What was decided before is read before anybody asks.
  const known = agreement.status().height;
  const following = follow().catch((error: unknown) => {
    broken.abort(error);
    deps.logger.error('governance-stopped', { error: error instanceof Error ? error.message : 'unknown' });
    wakeAll();
  });
  const outcomeAt = async (height: number, index: number): Promise<Outcome> => {
    while (state.height < height && !broken.signal.aborted && !ending.signal.aborted)
      await new Promise<void>((resolve) => waiting.push(resolve));
    const outcome = folded.at(height, index);
    if (outcome !== undefined) return outcome;
    throw new PeerAiError('ABORTED', 'this group was stopped');
  };
  while (state.height < known && !broken.signal.aborted) await new Promise<void>((resolve) => waiting.push(resolve));
  await agreement.start();

  const submit = async (payload: EntryBody, signal: AbortSignal): Promise<Outcome> => {
    const late = new AbortController();
    const end = clock.deadline(limits.decideMs, late.signal);
    try {
      const { block, index } = await agreement.propose(payload, AbortSignal.any([signal, end, ending.signal]));
      return await orAborted(outcomeAt(block.header.height, index), ending.signal);
    } catch (error) {
      if (!end.aborted || signal.aborted || ending.signal.aborted) throw error;
      throw new PeerAiError<PeerErrorCode>('NO_DECISION', 'too few members answered in time; it may still be decided', {
        waitedMs: limits.decideMs,
      });
    } finally {
      late.abort();
    }
  };
  return {
    id,
    genesis,
    state: () => state,
    status: () => agreement.status(),
    log: () => lines,
    submit,
    say: (said, signal) => submit(encodeStatement({ timeMs: Math.max(0, Math.trunc(clock.nowMs())), said }), signal),
    blocks: (from, to) => agreement.blocks(from, to),
    evidence: () => agreement.evidence(),
    async stop() {
      ending.abort();
      wakeAll();
      await agreement.stop();
      await following;
    },
  };
}

/** What can be read is decided, and the fold says what it comes to; members change only as was voted, with all blocks before seen. */
function judged(kind: string, body: Uint8Array, state: GovernanceState, height: number): boolean {
  try {
    if (kind !== epochKind) return kind === governanceKind && decodeStatement(body) !== undefined;
    const members = readMembersPayload(body);
    return state.height === height - 1 && state.nextMembers?.join() === members.join();
  } catch {
    return false;
  }
}

/** Its place in the order in which members do what one of them has to: by turns, another first for each matter. */
export function turnOf(state: Pick<GovernanceState, 'members'>, peer: PeerId, matter: string): number {
  const first = Number.parseInt(matter.slice(0, 6), 16) % state.members.length;
  return (state.members.indexOf(peer) - first + state.members.length) % state.members.length;
}
