import type { ConfigView, KeyView } from '@peerai/peer';
import type { SessionCodes } from './session-codes.ts';

/** What the local API may ask of the process around the peer. */
export interface ControlHooks {
  config(): ConfigView;
  /** Begins a clean stop; the answer still goes out. */
  shutdown(): void;
  readonly keys: GatewayKeys;
  readonly codes: SessionCodes;
  /** The control token, for who shows a code. */
  readonly token: string;
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
