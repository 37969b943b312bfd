import type { ConfigView, KeyView } from '@peerai/peer';

/** What the local API may ask of the process around the peer. */
export interface ControlHooks {
  config(): ConfigView;
  /** Begins a clean stop; the answer still goes out. */
  shutdown(): void;
  readonly keys: GatewayKeys;
}

/** Keys of the AI gateway, kept hashed. */
export interface GatewayKeys {
  list(): readonly KeyView[];
  /** The key's text is in this answer only. Throws KEY_EXISTS, LIMIT_REACHED. */
  make(name: string): Promise<KeyView>;
  /** Throws KEY_UNKNOWN. */
  revoke(name: string): Promise<void>;
  isValid(key: string): boolean;
}
