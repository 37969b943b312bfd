import {
  type Clock,
  type CryptoProvider,
  openRecord,
  publicKeyFromPeerId,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import { type PcpOpened, type PcpPayload, readPcpPayload } from '@peerai/core-protocol/pcp';
import { httpLimits } from './limits.ts';

/** Signed records of peers that say they have one of these; without any, our own. */
export type Discover = (capabilities: readonly string[], signal: AbortSignal) => Promise<readonly Uint8Array[]>;

type Entry = NonNullable<PcpPayload<'discovery'>['peers']>[number];

interface Deps {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly discover: Discover;
}

/** What a `discovery` message is answered with: of each peer its signed record, and what stands in it. Throws INVALID_FORMAT. */
export async function discovered(
  { crypto, clock, discover }: Deps,
  { payload }: PcpOpened,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const asked = readPcpPayload('discovery', payload).payload as PcpPayload<'discovery'>;
  const { capability, capabilities = [], limit = httpLimits.discoveryPeersMax } = asked;
  const wanted = [...new Set([...(capability === undefined ? [] : [capability]), ...capabilities])];
  const entries = new Map<string, Entry>();
  for (const sealed of await discover(wanted.slice(0, httpLimits.discoveryNamesMax), signal)) {
    if (entries.size >= Math.min(limit, httpLimits.discoveryPeersMax)) break;
    const entry = entryOf(crypto, sealed, clock.nowMs());
    if (entry !== undefined && !entries.has(entry.entity_id)) entries.set(entry.entity_id, entry);
  }
  return [...entries.values()];
}

/** Nothing for what is forged, expired or no record. */
function entryOf(crypto: CryptoProvider, sealed: Uint8Array, nowMs: number): Entry | undefined {
  try {
    const { peer, name, addresses, models, expiresMs } = openRecord(crypto, sealed, nowMs);
    return {
      entity_id: peer,
      ...(name === '' ? {} : { name }),
      ...(addresses[0] === undefined ? {} : { address: addresses[0] }),
      addresses,
      capabilities: models,
      public_key: toHex(publicKeyFromPeerId(peer)),
      expires: expiresMs / 1_000,
      record: toBase64Url(sealed),
    };
  } catch {
    return undefined;
  }
}
