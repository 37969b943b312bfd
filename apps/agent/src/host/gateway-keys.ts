import {
  type Clock,
  type CryptoProvider,
  PeerAiError,
  type Random,
  type Store,
  toBase64Url,
  utf8,
} from '@peerai/core-protocol';
import type { GatewayKeys } from '../edge/hooks.ts';

/** Every bound of the gateway's keys, with its unit and its reason. */
export const gatewayKeyLimits = {
  /** Keys at once, count: each request is looked up among them, and people list them. */
  keysMax: 100,
  /** How often the time of last use is written, milliseconds: a use must not cost a write each time; in between it is kept in memory. */
  usedEveryMs: 60_000,
} as const;
const { keysMax, usedEveryMs } = gatewayKeyLimits;

interface KeyRow {
  readonly name: string;
  /** SHA-256 of the key's text, base64url: a key has 256 random bits, so no slow hash is needed. */
  readonly hash: string;
  readonly createdMs: number;
  readonly lastUsedMs: number | null;
}

/** Keys for programs that ask models through this agent. The text is known to their owner alone. */
export async function openGatewayKeys(deps: {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}): Promise<GatewayKeys> {
  const { crypto, random, clock } = deps;
  const room = deps.store.room('gateway-keys');
  const rows = new Map<string, KeyRow>();
  const names = new Map<string, string>();
  /** When the last use of each was written, by its hash. */
  const writtenMs = new Map<string, number>();
  for await (const { value } of room.range('key/', 'key0')) {
    const row = JSON.parse(new TextDecoder().decode(value)) as KeyRow;
    rows.set(row.hash, row);
    names.set(row.name, row.hash);
    writtenMs.set(row.hash, row.lastUsedMs ?? 0);
  }
  const hashOf = (key: string): string => toBase64Url(crypto.sha256(utf8(key)));
  const change = (row: KeyRow) => room.put(`key/${row.name}`, utf8(JSON.stringify(row)));
  return {
    list: () => [...rows.values()].map(({ name, createdMs, lastUsedMs }) => ({ name, createdMs, lastUsedMs })),
    async make(name) {
      if (names.has(name)) {
        const hint = 'Revoke it first, or choose another name.';
        throw new PeerAiError('KEY_EXISTS', `there is a key called ${name}`, { hint });
      }
      if (names.size >= keysMax) {
        throw new PeerAiError('LIMIT_REACHED', `there are ${keysMax} keys; revoke one first`, { status: 409 });
      }
      const key = `pk-${toBase64Url(random.bytes(32))}`;
      const row: KeyRow = { name, hash: hashOf(key), createdMs: clock.nowMs(), lastUsedMs: null };
      names.set(name, row.hash);
      await room.commit([change(row)]).catch((error: unknown) => {
        names.delete(name);
        throw error;
      });
      rows.set(row.hash, row);
      return { name, createdMs: row.createdMs, lastUsedMs: null, key };
    },
    async revoke(name) {
      const hash = names.get(name);
      const row = hash === undefined ? undefined : rows.get(hash);
      if (row === undefined) throw new PeerAiError('KEY_UNKNOWN', `there is no key called ${name.slice(0, 64)}`);
      // Out of memory first: a use that comes now must not write the row again behind its removal.
      rows.delete(row.hash);
      await room.commit([room.put(`key/${name}`)]).catch((error: unknown) => {
        rows.set(row.hash, row);
        throw error;
      });
      names.delete(name);
      writtenMs.delete(row.hash);
    },
    isValid(key) {
      const row = rows.get(hashOf(key));
      if (row === undefined) return false;
      const nowMs = clock.nowMs();
      const used = { ...row, lastUsedMs: nowMs };
      rows.set(row.hash, used);
      // Not since the last use: a key in steady use would never be written again.
      if (nowMs - (writtenMs.get(row.hash) ?? 0) < usedEveryMs) return true;
      writtenMs.set(row.hash, nowMs);
      void room.commit([change(used)]).catch(() => undefined);
      return true;
    },
  };
}
