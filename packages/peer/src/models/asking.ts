import { type Clock, type CryptoProvider, type LanguageModel, type ModelCard, type Network, PeerAiError, type PeerId, type Random } from '@peerai/core-protocol';
import { remoteModel } from '@peerai/llm-bridge/share';
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
  /** `pairingLease`, or the ticket's id. */
  readonly lease: Uint8Array;
  readonly addresses?: readonly string[];
  readonly grant?: () => Uint8Array;
}

/** Another peer's model whose answers end in a receipt with both signatures. An open receipt of an earlier answer is signed first. */
export function askedModel(deps: AskingDeps, target: AskingTarget): LanguageModel {
  const { peer, card, lease, addresses, grant } = target;
  const inner = remoteModel(deps, {
    peer,
    card,
    ...(addresses === undefined ? {} : { addresses }),
    ...(grant === undefined ? {} : { grant }),
    onAsk: ({ requestId, model, prompt, maxTokens }) => deps.signing.asked(requestId, { provider: peer, lease, model, prompt, maxTokens }),
    onReceipt: (half, facts) => deps.signing.sign(half, facts),
  });
  return {
    ...inner,
    async *generate(prompt, sampling, signal) {
      try {
        yield* inner.generate(prompt, sampling, signal);
      } catch (error) {
        // Thrown before the first part, so that the whole question can be asked again.
        if (!PeerAiError.is(error, 'RECEIPT_UNSIGNED')) throw error;
        const signed = await deps.signing.catchUp(peer, lease, { signal, ...(addresses === undefined ? {} : { addresses }) });
        if (signed === 0) throw error;
        yield* inner.generate(prompt, sampling, signal);
      }
    },
  };
}
