import {
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  type ModelCard,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import { remoteModel } from '@peerai/llm-bridge/share';
import { limits } from '../limits.ts';
import type { Signing } from '../ledger/signing.ts';

export interface AskingDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly signing: Signing;
}
export interface AskingTarget {
  readonly peer: PeerId;
  readonly card: ModelCard;
  /** The pairing's, or the ticket's id. */
  readonly lease: Uint8Array;
  readonly addresses?: readonly string[];
  readonly grant?: () => Uint8Array;
}

/** Another peer's model whose answers end in a receipt with both signatures. An open receipt of an earlier answer is signed first. */
export function askedModel(deps: AskingDeps, target: AskingTarget): LanguageModel {
  const { peer, card, lease, addresses, grant } = target;
  const catchUp = (signal: AbortSignal): Promise<number> =>
    deps.signing.catchUp(peer, lease, { signal, ...(addresses === undefined ? {} : { addresses }) });
  const inner = remoteModel(deps, {
    peer,
    card,
    ...(addresses === undefined ? {} : { addresses }),
    ...(grant === undefined ? {} : { grant }),
    onAsk: ({ requestId, model, prompt, maxTokens }) =>
      deps.signing.asked(requestId, { provider: peer, lease, model, prompt, maxTokens }),
    async onReceipt(half, facts) {
      try {
        return await deps.signing.sign(half, facts);
      } catch (error) {
        // One before it may be open, after a link that broke at the wrong moment: sign what is owed, so that the next answer need not wait.
        if (PeerAiError.is(error, 'RECEIPT_WRONG', 'TIMEOUT'))
          void catchUp(deps.clock.deadline(limits.questionMs)).catch(() => undefined);
        throw error;
      }
    },
  });
  return {
    ...inner,
    async *generate(prompt, sampling, signal) {
      try {
        yield* inner.generate(prompt, sampling, signal);
      } catch (error) {
        // Thrown before the first part, so that the whole question can be asked again.
        if (!PeerAiError.is(error, 'RECEIPT_UNSIGNED')) throw error;
        if ((await catchUp(signal)) === 0) throw error;
        yield* inner.generate(prompt, sampling, signal);
      }
    },
  };
}
