import {
  type Clock,
  type CryptoProvider,
  fromHex,
  type Identity,
  type Logger,
  PeerAiError,
  type PeerId,
  publicKeyFromPeerId,
  type Random,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import { type AgreementLink, quorumOf } from '@peerai/ledger/agreement';
import { type ChainHeads, foundGroupKey, openChainHeads } from '@peerai/ledger/chain/heads';
import { governanceLimits, type HeadKeyWord } from '@peerai/ledger/governance';
import { type RunningGroup, turnOf } from './group.ts';
import { type HeadKeyStore, headKeyStore, type HeldShare, type Making } from './head-key-store.ts';
import { governanceRoomLimits as limits } from './limits.ts';

export interface GroupHeadsDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  /** The room of all groups. */
  readonly store: Store;
  /** Beside the agreement's: by a name of 32 bytes, hex. Shares of keys go over it, so nobody else may read what goes to one member. */
  readonly link: (name: string) => AgreementLink;
  readonly isOnline: (peer: PeerId) => boolean;
  /** Something to show is new. */
  readonly changed: (group: string) => void;
}
/** Why no newer head is signed, and whom it waits for. */
export interface HeadProblem {
  readonly why: 'alone' | 'members-away' | 'making-key' | 'no-share' | 'too-few-sign' | 'attempts-spent';
  readonly peers: readonly PeerId[];
}
export interface HeadsView {
  /** The newest signed head, a signed note, and how many blocks it is over. */
  readonly note: string | undefined;
  readonly size: number;
  readonly problem: HeadProblem | undefined;
}
/**
 * A member's part in the key of its group's epoch and in signing heads with it. The members make the key without a dealer once all of them are here, each says in
 * the chain that it has a share, and from a quorum's word on one of them leads the signing of each newer head, by turns; a quorum signs, whoever is away.
 */
export interface GroupHeads {
  /** Looks what there is to do; safe to call at any time. */
  look(): void;
  view(): HeadsView;
  stop(): Promise<void>;
}

export async function openGroupHeads(deps: GroupHeadsDeps, group: RunningGroup): Promise<GroupHeads> {
  const { identity, clock, crypto, random } = deps;
  const kept: HeadKeyStore = headKeyStore(deps, identity, group.id);
  const ending = new AbortController();
  let share = await kept.share();
  let begun = await kept.begun();
  let note = await kept.head();
  let size = note === undefined ? 0 : Number(openCheckpoint(crypto, note).size);
  let problem: HeadProblem | undefined;
  let signing: { readonly key: PeerId; readonly heads: ChainHeads } | undefined;
  let making: { readonly of: Making; readonly over: AbortController } | undefined;
  /** Since when, by our clock, this attempt and this head are due. */
  let due = { matter: '', sinceMs: 0 };
  let busy: Promise<void> | undefined;

  const nameOf = (what: string): string => toHex(crypto.sha256(utf8(`peerai/heads/1 ${what} ${group.id}`)));
  const tell = (next: HeadProblem | undefined): void => {
    if (JSON.stringify(next) === JSON.stringify(problem)) return;
    problem = next;
    deps.changed(group.id);
  };
  const sinceMs = (matter: string): number => {
    if (due.matter !== matter) due = { matter, sinceMs: clock.elapsedMs() };
    return clock.elapsedMs() - due.sinceMs;
  };
  const say = async (word: HeadKeyWord): Promise<void> => {
    await group.say({ type: 'head-key', word }, ending.signal);
  };
  const failed = async (of: Making, blamed: readonly PeerId[]): Promise<void> => {
    if (of.attempt + 1 < governanceLimits.headKeyAttemptsMax) await say({ ...of, key: undefined, blamed });
    else tell({ why: 'attempts-spent', peers: blamed });
  };

  const closeSigning = (): void => {
    signing?.heads.stop();
    signing = undefined;
  };
  const takeNote = (made: string, count: number): void => {
    if (count <= size) return;
    [note, size] = [made, count];
    kept.keepHead(made).catch((error: unknown) => {
      deps.logger.warn('head-not-kept', { error: error instanceof Error ? error.message : 'unknown' });
    });
    deps.changed(group.id);
  };

  /** All members at once: with one away there is no key that it has a share of. */
  const make = async (of: Making, members: readonly PeerId[]): Promise<void> => {
    const over = new AbortController();
    making = { of, over };
    try {
      // On disk before anything is announced: after a crash this member can't go on with what it announced.
      await kept.begin(of);
      begun = of;
      const name = nameOf(`${of.epoch}/${of.attempt}`);
      const terms = { members, threshold: quorumOf(members.length), ceremony: fromHex(name) };
      const key = await foundGroupKey(
        { crypto, random, clock, self: identity.peer, link: deps.link(name) },
        terms,
        AbortSignal.any([over.signal, ending.signal]),
        { resendMs: limits.headKeyResendMs, timeoutMs: limits.headKeyMs },
      );
      const made: HeldShare = { ...of, key };
      await kept.keep(made);
      [share, begun] = [made, undefined];
    } catch (error) {
      if (over.signal.aborted || ending.signal.aborted) return;
      if (!PeerAiError.is(error, 'SIGNER_WRONG', 'REFUSED', 'TIMEOUT')) throw error;
      const peers = (error.details['peers'] as readonly PeerId[] | undefined) ?? [];
      deps.logger.warn('head-key-failed', { group: group.id, code: error.code, peers: peers.join() });
      await failed(of, peers);
    } finally {
      making = undefined;
    }
  };
  const sign = async (held: HeldShare): Promise<void> => {
    if (signing?.key !== held.key.group) {
      closeSigning();
      const heads = await openChainHeads({
        store: deps.store.room(`heads-${group.id.slice(0, 32)}-${held.epoch}-${held.attempt}`),
        crypto,
        random,
        clock,
        link: deps.link(nameOf(held.key.group)),
        key: held.key,
        agreement: group,
        signed: takeNote,
      });
      heads.start();
      signing = { key: held.key.group, heads };
    }
    const { height } = group.status();
    if (height <= size) return tell(undefined);
    const turn = turnOf(group.state(), identity.peer, size.toString(16).padStart(6, '0').slice(-6));
    if (sinceMs(`head/${held.key.group}/${size}`) < turn * limits.turnMs) return;
    try {
      await signing.heads.sign(ending.signal);
      tell(undefined);
    } catch (error) {
      if (!PeerAiError.is(error, 'TIMEOUT')) throw error;
      tell({ why: 'too-few-sign', peers: (error.details['peers'] as readonly PeerId[] | undefined) ?? [] });
      await clock.sleep(limits.headRetryMs, ending.signal);
    }
  };
  const step = async (): Promise<void> => {
    const { epoch, members, headKeys } = group.state();
    const isMember = group.status().isMember && members.includes(identity.peer);
    if (share !== undefined && (share.epoch !== epoch || !isMember)) {
      closeSigning();
      await kept.forgetKey();
      [share, begun] = [undefined, undefined];
    }
    if (!isMember) return tell(undefined);
    if (members.length < 2) return tell({ why: 'alone', peers: [] });
    const { attempt, key, said } = headKeys;
    if (share?.attempt === attempt) {
      const own = publicKeyFromPeerId(share.key.group);
      if (!said.has(identity.peer)) return say({ epoch, attempt, key: own, blamed: [] });
      if (key?.key === share.key.group) return sign(share);
      return tell({ why: 'making-key', peers: members.filter((peer) => !said.has(peer)) });
    }
    if (key !== undefined) return tell({ why: 'no-share', peers: [] });
    if (begun?.epoch === epoch && begun.attempt === attempt) return failed({ epoch, attempt }, []);
    const away = members.filter((peer) => peer !== identity.peer && !deps.isOnline(peer));
    if (away.length > 0) return tell({ why: 'members-away', peers: away });
    if (sinceMs(`key/${epoch}/${attempt}`) < attempt * limits.headRetryMs) return;
    tell({ why: 'making-key', peers: [] });
    await make({ epoch, attempt }, members);
  };

  return {
    look() {
      const { epoch, headKeys } = group.state();
      // The chain went on to another attempt, or other members: nobody finishes this one.
      if (making !== undefined && (making.of.epoch !== epoch || making.of.attempt !== headKeys.attempt))
        making.over.abort();
      if (busy !== undefined || ending.signal.aborted) return;
      busy = step()
        .catch((error: unknown) => {
          if (ending.signal.aborted) return;
          const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
          deps.logger.debug('group-head-failed', { group: group.id, code });
        })
        .finally(() => {
          busy = undefined;
        });
    },
    view: () => ({ note, size, problem }),
    async stop() {
      ending.abort();
      closeSigning();
      await busy;
    },
  };
}
