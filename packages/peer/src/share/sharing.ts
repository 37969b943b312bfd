import {
  type Clock,
  type CryptoProvider,
  type Identity,
  limits as coreLimits,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  toHex,
  fingerprint,
  publicKeyFromPeerId,
} from '@peerai/core-protocol';
import { encodeTicket, shareLink } from '@peerai/core-protocol/access';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { PeerAdmission } from './admission.ts';
import { shareMethod } from './share-protocol.ts';
import type { ShareRequest, ShareView } from './share.schema.ts';
import { type Share, type Shares, shareState } from './shares.ts';

export interface ShareDefaults {
  readonly forMs: number;
  readonly tokens: number;
  readonly guests: number;
  readonly concurrency: number;
}
/** Where links lead, and how far they work. */
export interface ShareReach {
  readonly pageUrl: string;
  readonly addresses: readonly string[];
  readonly reach: Share['reach'];
  readonly warning?: string;
}
export interface SharingDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly network: Network;
  readonly shares: Shares;
  readonly admission: PeerAdmission;
  readonly events: EventHub;
  readonly defaults: ShareDefaults;
  readonly name: () => string;
  readonly reach: () => Promise<ShareReach>;
  /** Its exact name; throws MODEL_UNKNOWN unless one of our own engines has it. */
  readonly ownModel: (name: string) => Promise<string>;
  readonly isOnline: (peer: PeerId) => boolean;
}

/** Links that let others ask a model: make, see, stop. */
export interface Sharing {
  /** Throws MODEL_UNKNOWN, SHARE_INVALID, LIMIT_REACHED when too many shares are active. */
  create(request: ShareRequest): Promise<ShareView>;
  list(): readonly ShareView[];
  /** From now on the link is refused; running answers end. Throws SHARE_UNKNOWN. */
  stop(id: string): Promise<ShareView>;
  /** Says how many there were. */
  stopAll(): Promise<number>;
  start(): void;
  close(): void;
}

export function createSharing(deps: SharingDeps): Sharing {
  let serving: Disposable | undefined;
  const sharing: Sharing = {
    async create(request) {
      const { defaults } = deps;
      const wish = {
        model: request.model,
        forMs: request.forMs ?? defaults.forMs,
        tokens: request.tokens ?? defaults.tokens,
        guests: request.guests ?? defaults.guests,
        concurrency: request.concurrency ?? defaults.concurrency,
      };
      checkWish(wish);
      const model = await deps.ownModel(wish.model);
      const share = makeShare(deps, { ...wish, model }, await deps.reach());
      await deps.shares.add(share);
      return announce(deps, share);
    },
    list: () => deps.shares.list().map((share) => view(deps, share)),
    async stop(id) {
      const found = deps.shares
        .list()
        .filter((share) => share.id === id || (id.length >= 4 && share.id.startsWith(id)));
      const [share] = found;
      if (share === undefined || found.length > 1)
        throw new PeerAiError('SHARE_UNKNOWN', `no share has the id ${id.slice(0, 40)}`);
      const stopped = await deps.shares.update(share.id, (now) => ({
        ...now,
        stoppedMs: now.stoppedMs ?? deps.clock.nowMs(),
      }));
      deps.admission.revoke({ share: share.id });
      return announce(deps, stopped);
    },
    async stopAll() {
      const active = sharing.list().filter(({ state }) => state === 'active');
      for (const { id } of active) await sharing.stop(id);
      return active.length;
    },
    start() {
      serving ??= serveMethod(
        deps.network,
        shareMethod,
        async ({ grant }, { peer }) => {
          const { models, tokens, tokensUsed, expiresMs } = await deps.admission.greet(peer, grant);
          return { name: deps.name(), models, tokensBudget: tokens, tokensUsed, expiresMs };
        },
        { clock: deps.clock },
      );
    },
    close() {
      serving?.[Symbol.dispose]();
      serving = undefined;
    },
  };
  return sharing;
}

export function shareView(
  deps: Pick<SharingDeps, 'admission' | 'clock' | 'crypto' | 'isOnline'>,
  share: Share,
): ShareView {
  const { reserved, active } = deps.admission.running(share.id);
  const { id, models, link, reach, warning, createdMs, expiresMs, guestsMax, concurrency } = share;
  return {
    id,
    models: [...models],
    link,
    apiKey: share.secret,
    reach,
    ...(warning === undefined ? {} : { warning }),
    createdMs,
    expiresMs,
    tokens: { budget: share.tokens, used: share.tokensUsed, reserved },
    guestsMax,
    guests: Object.entries(share.guests).map(([peer, guest]) => ({
      peerId: peer,
      emoji: [...fingerprint(deps.crypto, publicKeyFromPeerId(peer)).emoji],
      online: deps.isOnline(peer as PeerId),
      ...guest,
    })),
    concurrency,
    active,
    state: shareState(share, deps.clock.nowMs()),
  };
}
const view = shareView;

function announce(deps: SharingDeps, share: Share): ShareView {
  const made = view(deps, share);
  deps.events.emit({ type: 'share-changed', share: made });
  return made;
}

function makeShare(deps: SharingDeps, wish: ShareDefaults & { readonly model: string }, reach: ShareReach): Share {
  const id = deps.random.bytes(8);
  const secret = deps.random.bytes(16);
  const createdMs = deps.clock.nowMs();
  const expiresMs = createdMs + wish.forMs;
  const ticket = encodeTicket(deps.identity, {
    kind: 'share',
    id,
    name: deps.name(),
    addresses: reach.addresses.slice(0, coreLimits.ticketAddressesMax),
    models: [wish.model],
    tokens: wish.tokens,
    expiresMs,
    guests: wish.guests,
    concurrency: wish.concurrency,
    allow: [],
    secret,
  });
  return {
    id: toHex(id),
    secret: toHex(secret),
    link: shareLink(reach.pageUrl, ticket),
    reach: reach.reach,
    ...(reach.warning === undefined ? {} : { warning: reach.warning }),
    models: [wish.model],
    createdMs,
    expiresMs,
    tokens: wish.tokens,
    tokensUsed: 0,
    guestsMax: wish.guests,
    guests: {},
    concurrency: wish.concurrency,
  };
}

function checkWish({ forMs, tokens, guests, concurrency }: ShareDefaults): void {
  const check = (name: string, value: number, min: number, max: number): void => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new PeerAiError('SHARE_INVALID', `${name} is ${value}; it can be ${min} to ${max}`, {
        name,
        value,
        min,
        max,
      });
    }
  };
  check('forMs', forMs, limits.shareLifeMsMin, limits.shareLifeMsMax);
  check('tokens', tokens, 1, limits.shareTokensMax);
  check('guests', guests, 1, coreLimits.ticketGuestsMax);
  check('concurrency', concurrency, 1, coreLimits.ticketConcurrencyMax);
}
