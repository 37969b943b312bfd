import { fromHex } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import { limits } from '../limits.ts';

/** The lines before the digits in libp2p's `swarm.key`. */
export const swarmKeyHead = ['/key/swarm/psk/1.0.0/', '/base16/'];

/** The key of a private network from its file: 64 hex digits, or libp2p's `swarm.key` with the same. Throws INVALID_FORMAT. */
export function readNetworkKey(text: string): Uint8Array {
  const lines = text.trim().split(/\s*\n\s*/u);
  const isSwarmKey = lines.length === 3 && swarmKeyHead.every((line, at) => lines[at] === line);
  const digits = isSwarmKey ? (lines[2] ?? '') : text.trim();
  if (new RegExp(`^[0-9a-f]{${2 * limits.networkKeyBytes}}$`, 'iu').test(digits)) return fromHex(digits.toLowerCase());
  throw transportError('INVALID_FORMAT', 'the key of a private network is 64 hex digits, or a swarm.key file');
}
