import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import { CacheController } from './controllers/cache.controller.ts';
import { StreamsController } from './controllers/chat.controller.ts';
import { ClustersController } from './controllers/clusters.controller.ts';
import { DiscoveryController } from './controllers/discovery.controller.ts';
import { FilesController } from './controllers/files.controller.ts';
import { GroupMessagesController, GroupsController } from './controllers/groups.controller.ts';
import { LedgerController } from './controllers/ledger.controller.ts';
import { GovernanceController } from './controllers/governance.controller.ts';
import { MarketController } from './controllers/market.controller.ts';
import { StorageController } from './controllers/storage.controller.ts';
import { LeasesController, NodesController } from './controllers/lending.controller.ts';
import { MemoryController } from './controllers/memory.controller.ts';
import { BroadcastsController, KeysController, MessagesController } from './controllers/messages.controller.ts';
import { ModelsController } from './controllers/models.controller.ts';
import { SplitsController } from './controllers/splits.controller.ts';
import { NodeController } from './controllers/node.controller.ts';
import { PairingsController, PeersController } from './controllers/peers.controller.ts';
import { ReputationController } from './controllers/reputation.controller.ts';
import { SeedNetworkController } from './controllers/seed-network.controller.ts';
import { SessionController } from './controllers/session.controller.ts';
import { SharesController } from './controllers/shares.controller.ts';
import { StateMetricsController } from './controllers/state-metrics.controller.ts';
import { StateController } from './controllers/state.controller.ts';
import { TasksController } from './controllers/tasks.controller.ts';
import { TrainingController } from './controllers/training.controller.ts';
import type { ControlHooks } from './hooks.ts';
import { CONTROL, LOGGER, PEER } from './tokens.ts';

export const controllers = [
  NodeController,
  StreamsController,
  PeersController,
  PairingsController,
  SharesController,
  ModelsController,
  SplitsController,
  MemoryController,
  CacheController,
  LedgerController,
  MessagesController,
  BroadcastsController,
  FilesController,
  GroupsController,
  GroupMessagesController,
  StateController,
  TasksController,
  TrainingController,
  ClustersController,
  StateMetricsController,
  NodesController,
  GovernanceController,
  LeasesController,
  ReputationController,
  MarketController,
  StorageController,
  DiscoveryController,
  KeysController,
  SessionController,
  SeedNetworkController,
] as const;

/** The control routes. One provider is the peer; the controllers only translate. */
@Module({})
export class EdgeModule {
  static with(peer: Peer, control: ControlHooks, logger: Logger): DynamicModule {
    return {
      module: EdgeModule,
      controllers: [...controllers],
      providers: [
        { provide: PEER, useValue: peer },
        { provide: CONTROL, useValue: control },
        { provide: LOGGER, useValue: logger },
      ],
    };
  }
}
