import type {
  Clock,
  Crawler,
  CryptoProvider,
  Directory,
  Identity,
  Logger,
  Network,
  Paths,
  Random,
  Runtime,
  Shelf,
  Store,
  Topics,
} from '@peerai/core-protocol';
import type { Engine } from '@peerai/llm-bridge';
import type { VerifyAside } from '@peerai/ledger';
import type { VectorIndexes } from '@peerai/nn-engine/memory';
import type { AlertRule } from '@peerai/nn-engine/metrics';
import type { HttpPost } from '@peerai/messaging/http';
import type { CacheSettings } from './cache/cache.ts';
import type { ToldField } from './discovery/discovery.schema.ts';
import type { PeerHttpSettings } from './http/open-messenger.ts';
import type { MachineReading } from './lending/gauge.ts';
import type { UseRelays } from './links/relays.ts';
import type { ModelRunner } from './models/imported/runner.ts';
import type { EngineFinding } from './node/node.schema.ts';
import type { ChainWorld } from './settlement/chain-world.ts';
import type { ShareDefaults } from './share/sharing.ts';
import type { TaskHandler } from './tasks/task-handler.ts';

/** What a peer asks of its surroundings: the ports, who it is, and the engines of this machine. */
export interface PeerWorld {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  /** Checks signatures on other cores; without it a check of the log takes one. */
  readonly verifyAside?: VerifyAside;
  readonly store: Store;
  /** Where files to and from devices lie; without it there are none. */
  readonly shelf?: Shelf;
  readonly network: Network;
  readonly logger: Logger;
  /** How attempts at peers went; without it only what works is known. */
  readonly paths?: Paths;
  /** Keeps these relays beside those of the settings, and no others; returns what became of each. Without it no group's relays are used. */
  readonly useRelays?: UseRelays;
  /** The engines as they are now; probing may find others later. */
  readonly engines: () => readonly Engine[];
  /** Operators of the networks that an engine of our own computes; without it none. */
  readonly operators?: () => Promise<readonly string[]>;
  /** Runs model files of the user's; without it, or without a shelf, none can be imported. */
  readonly modelRunner?: ModelRunner;
  /** What probing found, refused ones included. */
  readonly findings: () => readonly EngineFinding[];
  /** Sends by HTTP; without it nothing leaves that way. */
  readonly post?: HttpPost;
  /** Keeps a new 32-byte seed in the place of this peer's, for its next start; without it the key cannot be changed. */
  readonly replaceKey?: (seed: Uint8Array) => Promise<void>;
  /** Base URL of the local API, once it listens. */
  readonly api: () => string;
  /** Signed records of peers; without it nobody is looked for. */
  readonly directory?: Directory;
  readonly crawler?: Crawler;
  /** Gossip; without it nothing can be published. */
  readonly topics?: Topics;
  /** The shipped guide's file; without it the guide cannot be exported, split or learned upon. */
  readonly nanoFile?: (signal: AbortSignal) => Promise<Uint8Array>;
  /** What computes when models are trained, loaded when it is asked for; without it nothing is trained. */
  readonly trainingRuntime?: () => Promise<Runtime>;
  /** Makes a large memory fast, with the secret its files are sealed under; loaded when a memory opens, without it every search looks at every vector. */
  readonly memoryIndexes?: (secret: Uint8Array) => Promise<VectorIndexes>;
  /** A chain where leases can be settled; without it they are settled in the peers' own books. */
  readonly chain?: ChainWorld;
  /** How busy the machine is; without it no node of this peer counts as free. */
  readonly machine?: () => MachineReading;
  /** Who does tasks of more types than a model does; their types come before the built-in ones. */
  readonly taskHandlers?: readonly TaskHandler[];
}
export interface PeerSettings {
  readonly name: string;
  readonly version: string;
  /** Where this peer's files are, for people. */
  readonly home: string;
  readonly relays: readonly string[];
  /** Whether the relays that groups of this peer decide are used, or only shown; used unless said. */
  readonly groupRelays?: 'follow' | 'show';
  /** Whether members of its groups are heard over gossip too where there is no channel to them; they are unless said. */
  readonly groupTopics?: 'join' | 'off';
  /** Whether its groups are told the head of this peer's log; told unless said. */
  readonly logHeads?: 'tell' | 'off';
  /** Whether what its groups pay for is given by itself; not unless said. */
  readonly rewards?: 'off' | 'auto';
  /** Score below which nobody gets a new lease of nodes, models or storage, 0 to 1; 0.25 unless said. */
  readonly admissionMin?: number;
  /** Where this peer is, for devices; nothing is told unless said. */
  readonly region?: string;
  readonly http?: PeerHttpSettings;
  /** What strangers that look for peers are told of this one; nothing unless said. */
  readonly tells?: readonly ToldField[];
  /** Base of share links, when the owner has a page of his own. */
  readonly pageUrl?: string;
  readonly share: ShareDefaults;
  /** Names offered to paired devices; `*` for all. */
  readonly expose: readonly string[];
  readonly defaultModel?: string;
  readonly systemPrompt?: string;
  /** `auto`, `lexical` or `off`, or the name of a model of an engine on this machine that embeds what is remembered; `auto` unless said. */
  readonly memoryEmbedder?: string;
  /** How much is kept of what others gave, and who may fetch from here. */
  readonly cache?: CacheSettings;
  /** What of its state metrics this peer is to say when it crosses a mark; nothing unless said. */
  readonly metricAlerts?: readonly AlertRule[];
  /** What paired devices get of this peer's log: its entries unless said, or only its heads and proofs. */
  readonly ledgerShow?: 'entries' | 'heads';
  /** Answers at once for other peers, and requests that may wait. */
  readonly concurrency: number;
  readonly queueLength: number;
  /** How often devices that are here are asked how they are, milliseconds; 30,000 unless said. */
  readonly heartbeatMs?: number;
  /** Tasks of other peers done at once; 1 unless said. */
  readonly tasksAtOnce?: number;
}
