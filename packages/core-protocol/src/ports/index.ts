export type { Admission, Claim, Reservation } from './admission.ts';
export type { Brand, PeerId } from './brand.ts';
export type { Aead, AeadName, CryptoProvider } from './crypto.ts';
export type {
  AnswerPart,
  LanguageModel,
  ModelCard,
  Prompt,
  PromptMessage,
  Provenance,
  Sampling,
  Usage,
  ModelIdentity,
} from './language-model.ts';
export type { Checkpoint, EntryBody, Ledger } from './ledger.ts';
export type { MessagePriority, Messenger, Opened, Outgoing } from './messenger.ts';
export type {
  Channel,
  CrawledPeer,
  Crawler,
  Directory,
  Link,
  LinkTransport,
  Network,
  OpenOptions,
  Protocol,
  Topics,
} from './network.ts';
export type {
  CheckedAddress,
  ConnectionCode,
  ConnectionStep,
  ConnectionTrace,
  NatFacts,
  Paths,
  StepTrace,
} from './paths.ts';
export type { LoadOptions, Program, Runtime, Tensor, Tensors } from './runtime.ts';
export type { Shelf } from './shelf.ts';
export type { Change, Key, Row, Store } from './store.ts';
export type { Clock, Random } from './time.ts';
export type { Logger, Machine, World } from './world.ts';
