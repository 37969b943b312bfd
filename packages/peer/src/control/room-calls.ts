import { type CacheCalls, cacheCalls } from './cache-calls.ts';
import { type Call, type ClusterCalls, clusterCalls } from './cluster-calls.ts';
import { type DocumentCalls, documentCalls } from './document-calls.ts';
import { type GovernanceCalls, governanceCalls } from './governance-calls.ts';
import { type LedgerCalls, ledgerCalls } from './ledger-calls.ts';
import { lendingClient, type LendingClient } from './lending-client.ts';
import { marketCalls, type MarketCalls } from './market-calls.ts';
import { type ModelCalls, modelCalls } from './model-calls.ts';
import { type OwnCalls, ownCalls } from './own-calls.ts';
import { type ReputationCalls, reputationCalls } from './reputation-calls.ts';
import { type StorageCalls, storageCalls } from './storage-calls.ts';

/** The calls of every room that has a file of its own for them. */
export interface RoomCalls
  extends
    CacheCalls,
    ClusterCalls,
    DocumentCalls,
    GovernanceCalls,
    LedgerCalls,
    LendingClient,
    MarketCalls,
    ModelCalls,
    OwnCalls,
    ReputationCalls,
    StorageCalls {}

export const roomCalls = (json: Call, ask: Parameters<typeof modelCalls>[0]): RoomCalls => ({
  ...cacheCalls(json),
  ...clusterCalls(json),
  ...documentCalls(json),
  ...governanceCalls(json),
  ...ledgerCalls(json),
  ...lendingClient(json),
  ...marketCalls(json),
  ...modelCalls(ask),
  ...ownCalls(json),
  ...reputationCalls(json),
  ...storageCalls(json, ask),
});
