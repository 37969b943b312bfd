import type { CoreErrorCode } from '@peerai/core-protocol';

/** Codes of the machine's own failures; each message names the file or the key, and the way out. */
export type PlatformErrorCode =
  | CoreErrorCode
  | 'STORE_FULL'
  | 'STORE_BROKEN'
  /** A row is not what a commit expects; nothing of that commit was written. */
  | 'STORE_CHANGED'
  | 'STORE_LOCKED'
  | 'STORE_NEWER'
  | 'STORE_CLOSED'
  | 'SNAPSHOT_LOST'
  | 'KEY_FILE_OPEN'
  | 'KEY_FILE_BROKEN'
  | 'KEY_PASSPHRASE_WRONG'
  | 'KEY_PASSPHRASE_NEEDED'
  | 'CONFIG_INVALID'
  | 'CONFIG_NOT_BUILT_IN';
