import { equalBytes } from './bytes.ts';
import { PeerAiError } from './errors.ts';
import type { Change } from './ports/index.ts';

/** Whether a row that holds `found`, or is not there, lets this change pass. */
export function isAsExpected({ expected }: Change, found: Uint8Array | undefined): boolean {
  if (expected === undefined) return true;
  const { value } = expected;
  return value === undefined || found === undefined ? value === found : equalBytes(value, found);
}

/** What a store throws otherwise. */
export const storeChanged = (): PeerAiError<'STORE_CHANGED'> =>
  new PeerAiError('STORE_CHANGED', 'a row is not what this commit builds on; nothing of it was written');
