import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
  toHex,
  wire,
} from '@peerai/core-protocol';
import { decodeBlock } from '../../agreement/block.ts';
import type { Agreement, AgreementLink } from '../../agreement/types.ts';
import type { LedgerErrorCode } from '../../errors.ts';
import type { GroupKey } from '../../frost/group-key.ts';
import { decodeRequest } from '../../frost/request.ts';
import { createSigningSession } from '../../frost/session.ts';
import { openGroupSigner } from '../../frost/signer.ts';
import { openCheckpoint } from '../../log/note.ts';
import { createBell, createLocks } from '../../receipt/locks.ts';
import { nextOrLater } from './found-key.ts';
import { encodeHeadsMessage, type HeadsMessage, readHeadsMessage } from './message.ts';
import { type Offer, planSession } from './plan.ts';
import { createHeadTree } from './tree.ts';

export interface ChainHeadsDeps {
  /** A room of its own for each key. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  /** Of this key alone, between its members. */
  readonly link: AgreementLink;
  readonly key: GroupKey;
  readonly agreement: Pick<Agreement, 'blocks' | 'status'>;
  /** A head that is signed, made here or told by the member that led it; only of blocks that this member has, and larger than each before. */
  readonly signed?: (note: string, size: number) => void;
}
/** One member's part in signing the heads of a group's chain with the group's key. */
export interface ChainHeads {
  /** Answers who asks from now on. Safe to call twice. */
  start(): void;
  stop(): void;
  /**
   * A checkpoint of the chain as this member has it: a signed note of the group's key (`openCheckpoint`) over the number of blocks and the RFC 6962
   * root of their hashes. Any member may lead it, and signs only what its own chain says. Who is silent or sends a wrong part is left out.
   * Throws NOT_FOUND without a block; TIMEOUT, with the `peers` that did not sign, when fewer than the threshold do; the signal's reason.
   */
  sign(signal: AbortSignal): Promise<string>;
}

const signedForm = wire.message({ size: wire.uint53(1) });
const signedKey = 'signed';

/** @param waitMs - how long signers have to answer, milliseconds; default two seconds. Throws as `openGroupSigner`. */
export async function openChainHeads(deps: ChainHeadsDeps, { waitMs = 2_000 } = {}): Promise<ChainHeads> {
  const { store, crypto, random, clock, link, key, agreement } = deps;
  const { self } = key;
  const others = key.members.filter((peer) => peer !== self);
  const signer = await openGroupSigner({ store: store.room('signer'), crypto, random }, key);
  const row = await store.get(signedKey);
  let signed = row === undefined ? 0 : signedForm.decode(row).size;
  const tree = createHeadTree(crypto);
  const locks = createLocks();
  const bell = createBell();
  const heard = new Map<string, Map<PeerId, HeadsMessage>>();
  let stopListening: (() => void) | undefined;

  const readChain = (): Promise<void> =>
    locks.run('tree', async () => {
      for await (const bytes of agreement.blocks(tree.size + 1, agreement.status().height + 1))
        tree.add(decodeBlock(crypto, bytes).hash);
    });
  /** This member's part, when its own chain has this head. */
  const partOf = async (request: Uint8Array): Promise<Uint8Array | undefined> => {
    await readChain();
    const { size, root } = decodeRequest(key, request);
    if (size > BigInt(tree.size) || !equalBytes(root, tree.rootAt(Number(size)))) return undefined;
    const part = await signer.sign(request);
    signed = Math.max(signed, Number(size));
    await store.commit([store.put(signedKey, signedForm.encode({ size: signed }))]);
    return part;
  };
  let newest = 0;
  /** Nobody is believed: the note must be the key's, over the head of this member's own chain. */
  const take = async (note: string): Promise<void> => {
    await readChain();
    const { origin, size, root } = openCheckpoint(crypto, note);
    if (origin !== key.group || size <= BigInt(newest) || size > BigInt(tree.size)) return;
    if (!equalBytes(root, tree.rootAt(Number(size)))) return;
    newest = Number(size);
    deps.signed?.(note, newest);
  };
  const answer = async (from: PeerId, { session, ask, request, note }: HeadsMessage): Promise<void> => {
    if (note !== undefined) await take(note);
    if (ask !== undefined) {
      await readChain();
      if (tree.size < ask) return;
      link.send(from, encodeHeadsMessage({ session, commitment: signer.commit(), signed }));
    }
    const part = request === undefined ? undefined : await partOf(request);
    if (part !== undefined) link.send(from, encodeHeadsMessage({ session, part }));
  };
  const receive = (from: PeerId, bytes: Uint8Array): void => {
    const message = readHeadsMessage(bytes);
    if (message === undefined || !others.includes(from)) return;
    const answers = heard.get(toHex(message.session));
    if (answers !== undefined) {
      const before = answers.get(from);
      answers.set(from, {
        ...message,
        commitment: before?.commitment ?? message.commitment,
        signed: before?.signed ?? message.signed,
      });
      bell.ring('heard');
      return;
    }
    // What another member asks wrongly is not answered; it sees that by itself.
    locks.run(from, () => answer(from, message)).catch(() => undefined);
  };
  /** What so many of these say in this session, or all that came in time. */
  const gather = async (
    session: Uint8Array,
    from: readonly PeerId[],
    has: (message: HeadsMessage) => boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<PeerId, HeadsMessage>> => {
    const answers = heard.get(toHex(session)) ?? new Map<PeerId, HeadsMessage>();
    const endMs = clock.elapsedMs() + waitMs;
    for (;;) {
      const seen = bell.rings;
      const found = [...answers].filter(([peer, message]) => from.includes(peer) && has(message));
      const leftMs = endMs - clock.elapsedMs();
      if (found.length === from.length || leftMs <= 0) return new Map(found);
      await nextOrLater(bell.next('heard', seen, signal), clock, leftMs, signal);
    }
  };
  /** One session: a note of `target`, or who kept it from being made. */
  const attempt = async (target: number, without: ReadonlySet<PeerId>, signal: AbortSignal) => {
    const session = random.bytes(16);
    const name = toHex(session);
    heard.set(name, new Map());
    try {
      const asked = others.filter((peer) => !without.has(peer));
      link.broadcast(asked, encodeHeadsMessage({ session, ask: target }));
      const answers = await gather(session, asked, ({ commitment }) => commitment !== undefined, signal);
      const offers: Offer[] = [...answers].map(([peer, { commitment, signed: last = 0 }]) => ({
        peer,
        signed: last,
        commitment: commitment ?? new Uint8Array(),
      }));
      const silent = asked.filter((peer) => !answers.has(peer));
      const plan = planSession([...offers, { peer: self, signed, commitment: signer.commit() }], target, key.threshold);
      if (plan === undefined) return { silent, isOver: true };
      const proof = await tree.proof(plan.base, plan.size);
      const head = { size: BigInt(plan.size), root: tree.rootAt(plan.size), proof };
      const commitments = new Map(plan.signers.map(({ peer, commitment }) => [peer, commitment]));
      const signing = createSigningSession(crypto, key, head, commitments);
      const theirs = plan.signers.map(({ peer }) => peer).filter((peer) => peer !== self);
      link.broadcast(theirs, encodeHeadsMessage({ session, request: signing.request }));
      const own = commitments.has(self) ? await partOf(signing.request) : undefined;
      const parts = new Map<PeerId, Uint8Array>(own === undefined ? [] : [[self, own]]);
      for (const [peer, { part }] of await gather(session, theirs, (message) => message.part !== undefined, signal))
        if (part !== undefined) parts.set(peer, part);
      return { silent, size: plan.size, note: signing.finish(parts) };
    } catch (error) {
      if (!PeerAiError.is(error, 'NOT_FOUND', 'SIGNER_WRONG')) throw error;
      return { silent: (error.details['peers'] as readonly PeerId[] | undefined) ?? [], isWrong: true };
    } finally {
      heard.delete(name);
    }
  };
  return {
    start: () => void (stopListening ??= link.receive(receive)),
    stop() {
      stopListening?.();
      stopListening = undefined;
    },
    sign: (signal) =>
      locks.run('sign', async () => {
        signal.throwIfAborted();
        await readChain();
        const target = tree.size;
        if (target === 0) throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'this chain has no block yet');
        const without = new Set<PeerId>();
        // Each round signs it, helps one that signed an older head on, or leaves somebody out.
        for (let round = 0; round < 2 * key.members.length; round += 1) {
          const { silent, note, size, isOver } = await attempt(target, without, signal);
          for (const peer of silent) without.add(peer);
          if (note !== undefined && size === target) {
            link.broadcast(others, encodeHeadsMessage({ session: random.bytes(16), note }));
            await take(note);
            return note;
          }
          if (isOver === true) break;
        }
        const peers = [...without];
        throw new PeerAiError('TIMEOUT', `fewer than ${key.threshold} members sign this head`, { peers });
      }),
  };
}
