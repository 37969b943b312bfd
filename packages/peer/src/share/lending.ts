import type { PeerId } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import type { Accounts } from '../ledger/accounts.ts';
import type { Contact } from '../links/contact.ts';
import type { Answers } from '../models/answers.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import { type LeasedModels, openAdmission, type PeerAdmission } from './admission.ts';
import { serveSharing } from './serve-sharing.ts';
import { createSharing, shareView, type Sharing } from './sharing.ts';
import { openShares } from './shares.ts';

interface Parts {
  readonly devices: Devices;
  readonly events: EventHub;
  readonly accounts: Accounts;
  readonly answers: Answers;
  readonly contact: Contact;
  readonly isOnline: (peer: PeerId) => boolean;
  /** Whether a paired device may chat here now. */
  readonly mayChat: (peer: PeerId) => boolean;
  /** Proven to lie, or below what this peer stands. */
  readonly isRefused: (peer: PeerId) => boolean;
  readonly leased: () => LeasedModels;
  readonly stopping: AbortSignal;
}

/** Our models for others: links, who is let in, and the protocols that answer. */
export interface Lending {
  readonly sharing: Sharing;
  readonly reserve: PeerAdmission['reserve'];
  readonly reserveTask: PeerAdmission['reserveTask'];
  /** Running answers for this peer end. */
  revoke(peer: PeerId): void;
  /** Answers other peers, until `stop`. */
  start(): void;
  stop(): void;
}

/** Throws what the store throws. */
export async function openLending(
  world: PeerWorld,
  settings: PeerSettings,
  { devices, events, accounts, answers, contact, isOnline, mayChat, isRefused, leased, stopping }: Parts,
): Promise<Lending> {
  const { clock, crypto, random, store } = world;
  const { local, models, queue } = answers;
  const shares = await openShares({ store, clock });
  const keySecret = random.bytes(32);
  const admission = await openAdmission({
    ...world,
    keySecret,
    devices,
    isRefused,
    shares,
    receipts: accounts.receipts,
    exposed: (model) => models.isExposed(model),
    leased,
    changed: (share) =>
      events.emit({ type: 'share-changed', share: shareView({ admission, clock, crypto, isOnline }, share) }),
    signed: (receipt) => accounts.signed(receipt),
  });
  const sharing = createSharing({
    ...world,
    shares,
    admission,
    events,
    name: () => settings.name,
    isOnline,
    defaults: settings.share,
    async reach() {
      await contact.relays.settled(stopping);
      return contact.reach.share();
    },
    async ownModel(model) {
      const [candidate] = await models.candidates(`${model}@${settings.name}`, stopping);
      return candidate?.card.name ?? model;
    },
  });
  const serving: Disposable[] = [];
  return {
    sharing,
    reserve: (claim) => admission.reserve(claim),
    reserveTask: (claim) => admission.reserveTask(claim),
    revoke: (peer) => admission.revoke({ peer }),
    start() {
      const rest = { mayChat, leased, systemText: settings.systemPrompt };
      serving.push(...serveSharing({ ...world, admission, keySecret, local, models, shares, queue, ...rest }));
      sharing.start();
    },
    stop() {
      sharing.close();
      for (const one of serving.splice(0)) one[Symbol.dispose]();
    },
  };
}
