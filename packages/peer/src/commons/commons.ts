import type { Network, PeerId, Store } from '@peerai/core-protocol';
import { type Cache, createCache } from '../cache/cache.ts';
import type { Clusters } from '../clusters/clusters.ts';
import { createGroupRelays } from '../governance/group-relays.ts';
import { createGovernance, type Governance } from '../governance/governance.ts';
import type { EventHub } from '../events/hub.ts';
import type { Accounts } from '../ledger/accounts.ts';
import type { PeerMemory } from '../memory/memory.ts';
import { createLogs, type PeerLogs } from '../ledger/logs.ts';
import { createMarket, type MarketParts, type PeerMarket } from '../market/market.ts';
import type { Relays } from '../links/relays.ts';
import type { Messages } from '../messages/messages.ts';
import { createModelRuns, type ModelRuns } from '../models/asked-runs.ts';
import type { Models } from '../models/models.ts';
import type { ImportedModels } from '../models/imported-models.ts';
import { createOwnDevices, type OwnDevices } from '../own/own.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import type { Lending } from '../share/lending.ts';
import { standingLimits } from '../reputation/limits.ts';
import { createReputation, type PeerReputation } from '../reputation/reputation.ts';

export interface CommonsDeps extends PeerWorld {
  readonly store: Store;
  readonly network: Network;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly relays: Relays;
  readonly accounts: Accounts;
  readonly messages: Messages;
  readonly nameOf: (peer: PeerId) => string;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly memory: Pick<PeerMemory, 'own' | 'fetch' | 'list'>;
  readonly clusters: Pick<Clusters, 'own'>;
  /** Ends what a peer has here, and its links. */
  readonly cutOff: (peer: PeerId) => Promise<void>;
  /** Tries a device again now. */
  readonly nudge: (peer: PeerId) => void;
  readonly imported: ImportedModels;
  /** Rights and budgets of who asks a model here. */
  readonly reserve: Lending['reserve'];
  readonly roundTripMs: (peer: PeerId) => number;
  readonly stopping: AbortSignal;
  readonly market: MarketParts & { readonly models: Pick<Models, 'isNamed'> };
}

/** What peers hold each other to: witnessed logs, the market, reputation, and what a group decides. */
export interface Commons {
  readonly ownDevices: OwnDevices;
  readonly logs: PeerLogs;
  readonly reputation: PeerReputation;
  readonly cache: Cache;
  readonly modelRuns: ModelRuns;
  readonly governance: Governance;
  readonly market: PeerMarket;
  /** A paired device said hello. */
  met(peer: PeerId): void;
  /** The owner changed what a device may do. */
  review(peer: PeerId): void;
  /** Proven to lie, or below what this peer stands: no link, no answer. */
  isRefused(peer: PeerId): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function openCommons(deps: CommonsDeps, settings: PeerSettings): Commons {
  const logs = createLogs({
    ...deps,
    showsEntries: settings.ledgerShow !== 'heads',
    forked: (origin, proof) => reputation.note(origin, 'equivocation', proof),
    async pardoned(origin) {
      if (deps.devices.get(origin) !== undefined) await reputation.letIn(origin);
    },
  });
  const ownDevices = createOwnDevices(deps);
  const reputation = createReputation({ ...deps, admissionMin: settings.admissionMin ?? standingLimits.admissionMin });
  const cache = createCache(deps, settings.cache ?? {});
  const governance = createGovernance({
    ...deps,
    ledger: deps.accounts.ledger,
    topics: settings.groupTopics === 'off' ? undefined : deps.topics,
    relays: createGroupRelays(deps.relays, settings, deps.stopping),
    rewards: { isOn: settings.rewards === 'auto', memory: deps.memory, lending: deps.market.nodeLending },
    lied: (peer, proof) => reputation.note(peer, 'equivocation', proof),
    logs: { ...logs, saw: (note, shownBy) => deps.accounts.guard.saw(note, shownBy) },
    saysLogHead: settings.logHeads !== 'off',
  });
  const market = createMarket({
    ...deps,
    ...deps.market,
    note: (peer, deed, id) => reputation.note(peer, deed, id),
    admit: (peer) => reputation.admit(peer),
  });
  const modelRuns = createModelRuns({
    ...deps,
    models: deps.market.models,
    leased: market.leased,
    signing: deps.accounts.signing,
    receiptWrong: (peer, error) => reputation.failed(peer, error),
  });
  return {
    logs,
    ownDevices,
    market,
    reputation,
    cache,
    modelRuns,
    governance,
    met(peer) {
      logs.met(peer);
      ownDevices.met(peer);
      reputation.met(peer);
      governance.met(peer);
      market.met(peer);
    },
    review: (peer) => reputation.review(peer),
    isRefused: (peer) => logs.isRefused(peer) || reputation.isRefused(peer) || governance.isRefused(peer),
    async start() {
      await logs.start();
      ownDevices.start();
      cache.start();
      modelRuns.start();
      await reputation.start();
      await governance.start();
      await market.start();
    },
    async stop() {
      await Promise.all([logs.stop(), reputation.stop(), governance.stop(), market.stop()]);
    },
  };
}
