import type { CryptoProvider } from './crypto.ts';
import type { LanguageModel } from './language-model.ts';
import type { Directory, Network, Topics } from './network.ts';
import type { Store } from './store.ts';
import type { Clock, Random } from './time.ts';

/** (state, event, now) to (state, effects); the runner commits `persist` before it does anything else. */
export interface Machine<State, Event, Effect> {
  step(state: State, event: Event, nowMs: number): readonly [State, readonly Effect[]];
}
/** Events with names and numbers; never payloads, keys or remote text at `info` and above. */
export interface Logger {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}
/** Everything a peer asks of the world; platform and transport give the real one, the simulator the other. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly store: Store;
  readonly network: Network;
  readonly topics: Topics;
  readonly directory: Directory;
  readonly engines: readonly LanguageModel[];
  readonly logger: Logger;
}
