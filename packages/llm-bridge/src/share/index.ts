/**
 * Models between peers: serve ours, ask theirs. Small enough for a page that only asks.
 *
 * @packageDocumentation
 */
export type { LlmErrorCode } from '../errors.ts';
export { createFairQueue, type FairQueue, type QueueOptions, type Slot } from './fair-queue.ts';
export { listRemoteModels, modelListMethod, serveModelList, type VisibleModels } from './model-list.ts';
export { modelProtocol } from './protocol.ts';
export { type OnReceipt, type ReceiptFacts, type RemoteDeps, remoteModel, type RemoteOptions } from './remote-model.ts';
export { serveEmbeddings } from './serve-embed.ts';
export {
  createModelQueue,
  serveModels,
  type ServeModelsDeps,
  type ServeModelsOptions,
  type SharedModels,
} from './serve-models.ts';
export { promptBytes, workHash } from './work.ts';
