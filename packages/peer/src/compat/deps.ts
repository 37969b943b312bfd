import type { Clock, CryptoProvider, Identity, Logger, Network, PeerId, Random, Store } from '@peerai/core-protocol';
import type { Genesis } from '@peerai/ledger/agreement';
import type { Learner, RunSpec, SharedState } from '@peerai/nn-engine/rounds';

/** A device at the relay, in its own words. */
export interface FoundDevice {
  readonly deviceId: string;
  /** The key it says it has; a link proves it. */
  readonly peer?: PeerId;
  readonly capabilities: readonly string[];
  readonly specializations: readonly string[];
  readonly resources: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> | string;
  readonly lastSeenMs: number;
}

/** A place at a relay's signalling, such as that of `@peerai/transport/signal`. */
export interface DeviceSignalling {
  readonly joined: boolean;
  join(url: string, signal: AbortSignal): Promise<void>;
  leave(): void;
  discover(
    filters: { readonly capabilities?: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly FoundDevice[]>;
  tell(news: () => DeviceNews): void;
  heartbeat(signal: AbortSignal): Promise<number>;
  devices(): readonly FoundDevice[];
  isHere(deviceId: string): boolean;
  learn(devices: unknown): number;
}
/** What a device says of itself. */
export interface DeviceNews {
  readonly status: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly string[];
  readonly specializations: readonly string[];
}

/** Links to devices that were met by signalling: `createSignalNode` of `@peerai/transport/signal` in a page, `createNativeSignalNode` of `@peerai/transport/node`. */
export interface MeetingPoint {
  readonly network: Network;
  readonly signalling: DeviceSignalling;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What lends and borrows nodes. */
export interface NodeLending {
  /** @returns the id of the lease. Throws why there is none. */
  borrow(
    wish: { readonly owner: PeerId; readonly node: string; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<string>;
  /** Gives the node back and settles. @param performance - what the borrower measured, as JSON. */
  complete(lease: string, performance: string, signal: AbortSignal): Promise<boolean>;
}

/** A task that devices learn together: the same text must give the same terms on each. */
export interface LearningTask {
  readonly spec: RunSpec;
  readonly from: SharedState;
  readonly learner: Learner;
  /** What all hold after the last round. */
  readonly done?: (state: SharedState) => void;
}

/** What the class asks of the world. */
export interface DeviceDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  /** A room of its own: `openBrowserStore` of `@peerai/platform/browser`, `openStore` of `@peerai/platform/node`. */
  readonly store: Store;
  /** Opens the links, once, when they are first needed. @param isGranted - for the links: may this peer open our protocols? */
  readonly open: (isGranted: (peer: PeerId) => boolean) => Promise<MeetingPoint>;
  /** Whether a device that connects to this one may talk to it; without it only those that this one connected to may. */
  readonly accepts?: (peer: PeerId) => boolean;
  /** Hears direct messages, when `process_p2p_messages` is called. */
  readonly onMessage?: (deviceId: string, text: string) => void;
  /**
   * The group that this device closes blocks with, the same on each member, this one among them: `mine_block` and `validate_blockchain` are the group's then.
   * It takes part while it has links. Without it this device closes blocks of its own.
   */
  readonly group?: Genesis;
  /** Without it the three methods that borrow throw UNSUPPORTED. */
  readonly lending?: NodeLending;
  /** What this device can learn with others; undefined for a text it does not know. Without it `start_collaborative_learning` throws UNSUPPORTED. */
  readonly learning?: (task: string) => Promise<LearningTask | undefined>;
}
