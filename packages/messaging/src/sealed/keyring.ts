import { type Clock, type CryptoProvider, type Random, type Store, wire } from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import { sealedLimits } from './limits.ts';
import { type LetterKey, letterKeyOf } from './seal.ts';

const keyCodec = wire.message({ madeMs: wire.uint53(1), secret: wire.bytes(2) });
const keyRow = (madeMs: number): string => `key/${madeMs.toString(16).padStart(14, '0')}`;

/** The keys others seal to: the newest is published, older ones still open what was on its way. */
export interface Keyring {
  /** The key to publish; a new one when the last has been published for a week. What cannot be needed any more is erased. */
  current(): Promise<LetterKey>;
  /** Newest first. */
  all(): readonly LetterKey[];
}

interface Kept extends LetterKey {
  readonly madeMs: number;
}

/** @param deps - `store`: a room whose rows `key/…` are this ring's; they hold secrets, as the file of the peer's own key does. */
export async function openKeyring(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
}): Promise<Keyring> {
  const { store, clock, random, crypto } = deps;
  let keys: readonly Kept[] = (await collect(store.range(...under('key'), { reverse: true }))).map(({ value }) => {
    const { madeMs, secret } = keyCodec.decode(value);
    return { madeMs, ...letterKeyOf(crypto, secret) };
  });
  let changing: Promise<void> = Promise.resolve();
  const change = async (): Promise<void> => {
    const [newest] = keys;
    const nowMs = clock.nowMs();
    if (newest !== undefined && nowMs - newest.madeMs < sealedLimits.letterKeyChangeMs) return;
    const secret = random.bytes(32);
    // A clock that was set back must not hide the new key behind the last.
    const madeMs = Math.max(nowMs, (newest?.madeMs ?? -1) + 1);
    // A key is published until its successor is made, and kept from then on.
    const old = keys.filter((_, place) => {
      const successorMs = place === 0 ? madeMs : (keys[place - 1]?.madeMs ?? madeMs);
      return nowMs - successorMs > sealedLimits.letterKeyKeptMs;
    });
    await store.commit([
      store.put(keyRow(madeMs), keyCodec.encode({ madeMs, secret })),
      ...old.map((key) => store.put(keyRow(key.madeMs))),
    ]);
    keys = [{ madeMs, ...letterKeyOf(crypto, secret) }, ...keys.filter((key) => !old.includes(key))];
  };
  return {
    current: async () => {
      changing = changing.then(change, change);
      await changing;
      const [newest] = keys;
      if (newest === undefined) throw new TypeError('a change leaves a key');
      return newest;
    },
    all: () => keys,
  };
}
