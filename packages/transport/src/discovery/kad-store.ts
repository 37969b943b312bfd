import { Record as KadRecord } from '@libp2p/kad-dht';
import { type CryptoProvider, openRecord } from '@peerai/core-protocol';
import { MemoryDatastore } from 'datastore-core';
import { limits } from '../limits.ts';

type Key = Parameters<MemoryDatastore['put']>[0];

/**
 * What the DHT keeps for others, in memory: bounded, the entry written longest ago goes first. A record is replaced by a newer one only:
 * kad-dht itself takes any valid one, so that a stranger could put an old one back.
 */
export class KadStore extends MemoryDatastore {
  /** In the order in which they were written. */
  readonly #names = new Map<string, Key>();
  readonly #entriesMax: number;
  readonly #crypto: CryptoProvider;
  readonly #nowMs: () => number;

  constructor(crypto: CryptoProvider, nowMs: () => number, entriesMax: number = limits.dhtEntriesMax) {
    super();
    this.#crypto = crypto;
    this.#nowMs = nowMs;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#names.size;
  }

  override put(key: Key, value: Uint8Array): Key {
    const name = key.toString();
    if (this.#isOlder(name, key, value)) return key;
    this.#names.delete(name);
    this.#names.set(name, key);
    void super.put(key, value);
    const [oldest] = this.#names.values();
    if (this.#names.size > this.#entriesMax && oldest !== undefined) this.delete(oldest);
    return key;
  }

  override delete(key: Key): void {
    this.#names.delete(key.toString());
    void super.delete(key);
  }

  #isOlder(name: string, key: Key, value: Uint8Array): boolean {
    if (!name.startsWith(recordsPrefix) || !this.#names.has(name)) return false;
    const held = this.#sequence(super.get(key) as Uint8Array);
    return held > this.#sequence(value);
  }

  /** Below all others for one that has expired. */
  #sequence(entry: Uint8Array): number {
    try {
      return openRecord(this.#crypto, KadRecord.deserialize(entry).value, this.#nowMs()).sequence;
    } catch {
      return -1;
    }
  }
}

/** kad-dht's default prefix and its folder of values. */
const recordsPrefix = '/dht/record';
