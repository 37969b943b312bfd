import {
  callMethod,
  type Change,
  type Clock,
  fromHex,
  type Network,
  PeerAiError,
  type PeerId,
  type Prompt,
  serveMethod,
  type Store,
  toHex,
  type Usage,
  usageBounds,
} from '@peerai/core-protocol';
import { type ExpectedFacts, ledgerLimits, readReceipt, type ReceiptBook } from '@peerai/ledger';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import { completeOnce } from './complete-once.ts';
import { receiptsMethod } from './receipts-protocol.ts';

/** What was asked, kept until its receipt is signed: also after a crash this peer knows what it may sign for. */
interface Asked {
  readonly provider: PeerId;
  readonly lease: string;
  readonly model: string;
  readonly promptTokensMax: number;
  readonly answerTokensMax: number;
  readonly atMs: number;
}

export interface SigningDeps {
  readonly store: Store;
  readonly network: Network;
  readonly clock: Clock;
  readonly receipts: ReceiptBook;
  /** Chains this provider and we agreed on, hex: a device may turn from one to another while an answer is under way. */
  readonly leasesOf?: (provider: PeerId) => readonly string[];
  /** The model to sign for: the one that was asked for, or where that left a choice to the provider the one it took. */
  readonly modelOf?: (asked: string, taken: string) => string;
  /** A receipt got its second signature, ours or theirs. */
  readonly signed?: (receipt: Uint8Array) => void;
  /** Ends what waits to catch up; absent: it ends by itself after a moment. */
  readonly stopping?: AbortSignal;
}

/** The consumer's pen: remembers what it asked, signs for that and nothing else, catches up after a broken link. */
export interface Signing {
  /** Durable before the question leaves. */
  asked(
    requestId: string,
    question: {
      readonly provider: PeerId;
      readonly lease: Uint8Array;
      readonly model: string;
      readonly prompt: Prompt;
      readonly maxTokens: number;
    },
  ): Promise<void>;
  /** The countersigned receipt, in our log. Throws RECEIPT_WRONG, NOT_FOUND for a request never made. */
  sign(
    half: Uint8Array,
    seen: { readonly requestId: string; readonly usage?: Usage; readonly workHash?: Uint8Array },
  ): Promise<Uint8Array>;
  /** Signs what this provider says is still owed under a lease. Throws what `sign` throws, PEER_UNREACHABLE. */
  catchUp(
    provider: PeerId,
    lease: Uint8Array,
    options: { readonly signal: AbortSignal; readonly addresses?: readonly string[] },
  ): Promise<number>;
  /** Catches up by itself, now and after growing waits until the provider was heard: a look may be lost as a signature may. */
  keepUp(provider: PeerId, lease: Uint8Array): void;
  /** Answers consumers that catch up; the provider's side. */
  serve(): Disposable;
}

export function createSigning(deps: SigningDeps): Signing {
  const room = deps.store.room('asked');
  const rows = records<Asked>(room, 'request');
  let untilSweep = 0;
  /** Questions that never got a receipt are forgotten after a while, or when there are too many; looked for now and then. */
  const outlived = async (nowMs: number): Promise<Change[]> => {
    untilSweep -= 1;
    if (untilSweep > 0) return [];
    untilSweep = limits.askedSweepEvery;
    const kept: (readonly [id: string, atMs: number])[] = [];
    for await (const [id, { atMs }] of rows.all()) kept.push([id, atMs]);
    kept.sort(([, a], [, b]) => b - a);
    return kept
      .filter(([, atMs], place) => nowMs - atMs > limits.askedKeptMs || place >= limits.askedKeptMax)
      .map(([id]) => rows.remove(id));
  };
  const looks = new Map<string, AbortController>();
  const look = async (provider: PeerId, lease: Uint8Array, firstMs: number, signal: AbortSignal): Promise<void> => {
    if (firstMs > 0) await deps.clock.sleep(firstMs, signal);
    for (let waitMs: number = limits.lookBackMs; ; waitMs = Math.min(2 * waitMs, limits.lookBackMsMax)) {
      try {
        await catchUp(provider, lease, { signal });
        return;
      } catch (error) {
        if (!PeerAiError.is(error, 'PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT')) throw error;
        await deps.clock.sleep(waitMs, signal);
      }
    }
  };
  const keepUp = (provider: PeerId, lease: Uint8Array, firstMs = 0): void => {
    const key = `${provider}/${toHex(lease)}`;
    looks.get(key)?.abort();
    const ending = new AbortController();
    looks.set(key, ending);
    const signal = deps.stopping === undefined ? ending.signal : AbortSignal.any([ending.signal, deps.stopping]);
    void look(provider, lease, firstMs, signal)
      .catch(() => undefined)
      .finally(() => void (looks.get(key) === ending && looks.delete(key)));
  };
  /** A signature gets no answer, so it may be lost unnoticed: a while after the last answer this side asks what it owes. */
  const lookLater = (provider: PeerId, lease: Uint8Array): void => keepUp(provider, lease, limits.lookBackMs);
  const signOnly: Signing['sign'] = async (half, { requestId, usage, workHash }) => {
    const asked = await rows.get(requestId);
    if (asked === undefined) return signAgain(deps, half, requestId);
    const used = toHex(readReceipt(half).lease);
    const isAgreed = deps.leasesOf?.(asked.provider).includes(used) === true;
    const expected: ExpectedFacts = {
      provider: asked.provider,
      lease: fromHex(isAgreed ? used : asked.lease),
      requestId,
      model: deps.modelOf?.(asked.model, readReceipt(half).model) ?? asked.model,
      promptTokensMax: asked.promptTokensMax,
      answerTokensMax: asked.answerTokensMax,
      ...(usage === undefined ? {} : { usage }),
      ...(workHash === undefined ? {} : { workHash }),
    };
    const full = await deps.receipts.countersign(half, expected, deps.clock.deadline(limits.countersignMs));
    // It is in the log: a row that stays is only forgotten later.
    await room.commit([rows.remove(requestId)]).catch(() => undefined);
    deps.signed?.(full);
    return full;
  };
  const sign: Signing['sign'] = async (half, seen) => {
    const full = await signOnly(half, seen);
    const { provider, lease } = readReceipt(full);
    lookLater(provider, lease);
    return full;
  };
  const catchUp: Signing['catchUp'] = async (provider, lease, options) => {
    let countersigned: Uint8Array | undefined;
    for (let signed = 0; signed <= ledgerLimits.pendingReceiptsMax; signed += 1) {
      const { half } = await callMethod(deps, provider, receiptsMethod, { lease, countersigned }, options);
      if (half === undefined) return signed;
      countersigned = await signOnly(half, { requestId: readReceipt(half).requestId });
    }
    throw new PeerAiError('LIMIT_REACHED', 'the other peer asks for more signatures than may be open');
  };
  return {
    async asked(requestId, { provider, lease, model, prompt, maxTokens }) {
      const row = { provider, lease: toHex(lease), model, ...usageBounds(prompt, maxTokens), atMs: deps.clock.nowMs() };
      await room.commit([rows.put(requestId, row), ...(await outlived(row.atMs))]);
      lookLater(provider, lease);
    },
    sign,
    catchUp,
    keepUp: (provider, lease) => keepUp(provider, lease),
    serve: () =>
      serveMethod(
        deps.network,
        receiptsMethod,
        async ({ lease, countersigned }, { peer }) => {
          if (countersigned !== undefined) {
            if (await completeOnce(deps.receipts, countersigned)) deps.signed?.(countersigned);
          }
          const [half] = await deps.receipts.unsigned(peer, lease);
          return { half };
        },
        { clock: deps.clock },
      ),
  };
}

/**
 * The half of a question that is not open here: signed before, when the link broke before the signature was over there. Then the very same
 * receipt goes out again; bounds below zero make sure that nothing new is signed. Throws NOT_FOUND.
 */
async function signAgain({ receipts, clock }: SigningDeps, half: Uint8Array, requestId: string): Promise<Uint8Array> {
  const { provider, lease, model } = readReceipt(half);
  const nothingNew = { provider, lease, requestId, model, promptTokensMax: -1, answerTokensMax: -1 };
  const done = new AbortController();
  try {
    return await receipts.countersign(half, nothingNew, clock.deadline(limits.countersignMs, done.signal));
  } catch (cause) {
    throw new PeerAiError(
      'NOT_FOUND',
      'this receipt is for a request that was never made here',
      { requestId },
      { cause },
    );
  } finally {
    done.abort();
  }
}
