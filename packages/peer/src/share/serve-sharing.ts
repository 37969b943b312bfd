import type { Clock, CryptoProvider, Identity, Logger, Network, PeerId, Random } from '@peerai/core-protocol';
import {
  type createModelQueue,
  findModel,
  serveEmbeddings,
  serveLlama,
  serveModelList,
  serveModels,
} from '@peerai/llm-bridge';
import { attestAnswers } from '@peerai/llm-bridge/proof';
import type { LocalModels } from '../models/local-models.ts';
import type { Models } from '../models/models.ts';
import type { LeasedModels, openAdmission } from './admission.ts';
import { shareApiKeys } from './api-keys.ts';
import type { openShares } from './shares.ts';

export interface ServeSharingDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly admission: Awaited<ReturnType<typeof openAdmission>>;
  readonly shares: Awaited<ReturnType<typeof openShares>>;
  readonly keySecret: Uint8Array;
  readonly local: LocalModels;
  readonly models: Models;
  readonly queue: ReturnType<typeof createModelQueue>;
  /** Whether a paired device may chat here now. */
  readonly mayChat: (peer: PeerId) => boolean;
  readonly leased: () => LeasedModels;
  /** Put before questions by `local`. */
  readonly systemText: string | undefined;
}

/** Answers other peers with our models, in every protocol there is for it, until disposed. */
export function serveSharing(deps: ServeSharingDeps): readonly Disposable[] {
  const { network, admission, clock, crypto, random, logger, identity, keySecret, local, models, shares } = deps;
  const parts = { network, admission, clock, crypto, logger, models: () => local.list(), queue: deps.queue };
  return [
    serveModels({ ...parts, attest: attestAnswers({ identity, crypto, clock, systemText: deps.systemText }) }),
    serveEmbeddings(parts),
    serveLlama(
      { ...parts, random },
      {
        defaultModel: () => findModel(local.list(), models.defaultName()) ?? local.list()[0],
        apiKeys: shareApiKeys({ keySecret, crypto, identity, shares, nowMs: () => clock.nowMs() }),
      },
    ),
    serveModelList(network, async (peer, grant) => {
      if (grant === undefined) {
        const exposed = deps.mayChat(peer) ? models.exposedCards() : [];
        const leased = local.list().map(({ card }) => card);
        const more = leased.filter(({ name }) => deps.leased().usable(peer, name) !== undefined);
        return [...exposed, ...more.filter(({ name }) => exposed.every((card) => card.name !== name))];
      }
      const share = await admission.greet(peer, grant);
      return local
        .list()
        .map(({ card }) => card)
        .filter((card) => share.models.includes(card.name));
    }),
  ];
}
