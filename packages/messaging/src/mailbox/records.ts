import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Identity,
  limits as coreLimits,
  type Logger,
  type Network,
  openRecord,
  PeerAiError,
  type PeerId,
  type PeerRecord,
  serveMethod,
  signRecord,
  type Store,
  wire,
} from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import type { Keyring } from '../sealed/keyring.ts';
import { sealedLimits } from '../sealed/limits.ts';
import { mailboxLimits } from './limits.ts';
import { recordMethod } from './protocol.ts';

export interface RecordsDeps {
  readonly store: Store;
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly logger: Logger;
  readonly keyring: Keyring;
  /** True for peers that records are exchanged with. */
  readonly isFriend: (peer: PeerId) => boolean;
  /** Relays that keep our letters now. */
  readonly mailboxes: () => readonly string[];
  /** What else our record says. */
  readonly about: () => { readonly name: string; readonly agent: string };
}
/** Our own record, and the newest of each friend. */
export interface Records {
  /** Our record, signed anew when what it says has changed or half its life is over. */
  own(): Promise<Uint8Array>;
  /** `undefined` for who gave none, and once it has expired. */
  get(peer: PeerId): PeerRecord | undefined;
  /** Its bytes as its peer signed them. */
  sealed(peer: PeerId): Uint8Array | undefined;
  /** Keeps a record that another peer brought. Throws what `openRecord` throws. */
  learn(sealed: Uint8Array): Promise<PeerRecord>;
  /** Gives every friend that is linked our record. */
  tell(): void;
  /** Exchanges records with a friend that is linked and gave none: one that became a friend over a link that was up before. */
  meet(peer: PeerId): void;
  run(signal: AbortSignal): Promise<void>;
}

const sequenceCodec = wire.message({ sequence: wire.uint53(1) });

export async function openRecords(deps: RecordsDeps): Promise<Records> {
  const { store, network, clock, crypto, identity, keyring } = deps;
  const known = new Map<PeerId, PeerRecord & { readonly sealed: Uint8Array }>();
  for (const { value } of await collect(store.range(...under('record')))) {
    const record = readRecord(crypto, value, clock.nowMs());
    if (record !== undefined) known.set(record.peer, { ...record, sealed: value });
  }
  const linked = new Set<PeerId>();
  let own: { readonly says: string; readonly untilMs: number; readonly sealed: Uint8Array } | undefined;
  let signing: Promise<Uint8Array> = Promise.resolve(new Uint8Array());

  const sign = async (): Promise<Uint8Array> => {
    const { publicKey: letterKey, id } = await keyring.current();
    const fields = {
      ...deps.about(),
      addresses: network
        .addresses()
        .filter(({ length }) => length <= coreLimits.addressBytesMax)
        .slice(0, coreLimits.recordAddressesMax),
      mailboxes: deps.mailboxes().slice(0, coreLimits.recordMailboxesMax),
      models: [],
    };
    const says = JSON.stringify([fields, ...id]);
    const nowMs = clock.nowMs();
    if (own !== undefined && own.says === says && nowMs < own.untilMs) return own.sealed;
    const row = await store.get('sequence');
    const sequence = Math.max(nowMs, row === undefined ? 0 : sequenceCodec.decode(row).sequence + 1);
    await store.commit([store.put('sequence', sequenceCodec.encode({ sequence }))]);
    const expiresMs = nowMs + sealedLimits.recordLifeMs;
    const sealed = signRecord(identity, { ...fields, letterKey, sequence, expiresMs });
    own = { says, untilMs: nowMs + sealedLimits.recordLifeMs / 2, sealed };
    return sealed;
  };
  const records: Records = {
    own: () => (signing = signing.then(sign, sign)),
    get: (peer) => {
      const record = known.get(peer);
      return record === undefined || record.expiresMs <= clock.nowMs() ? undefined : record;
    },
    sealed: (peer) => (records.get(peer) === undefined ? undefined : known.get(peer)?.sealed),
    learn: async (sealed) => {
      const record = openRecord(crypto, sealed, clock.nowMs());
      const before = known.get(record.peer);
      if (before !== undefined && before.sequence >= record.sequence) return before;
      known.delete(record.peer);
      known.set(record.peer, { ...record, sealed });
      const [oldest] = known.size > mailboxLimits.recordsKeptMax ? known.keys() : [];
      if (oldest !== undefined) known.delete(oldest);
      const forgotten = oldest === undefined ? [] : [store.put(`record/${oldest}`)];
      await store.commit([store.put(`record/${record.peer}`, sealed), ...forgotten]);
      return record;
    },
    tell: () => {
      for (const peer of linked) if (deps.isFriend(peer)) void swap(peer);
    },
    meet: (peer) => {
      if (linked.has(peer) && records.get(peer) === undefined && deps.isFriend(peer)) void swap(peer);
    },
    run: async (signal) => {
      stopped = signal;
      const serving = serveMethod(
        network,
        recordMethod,
        async ({ record }, { peer }) => {
          if ((await records.learn(record)).peer !== peer) throw notIts();
          return { record: await records.own() };
        },
        { clock },
      );
      try {
        for await (const { peer, state } of network.links(signal)) {
          if (state === 'down') linked.delete(peer);
          else if (!linked.has(peer)) {
            linked.add(peer);
            if (deps.isFriend(peer)) void swap(peer);
          }
        }
      } finally {
        serving[Symbol.dispose]();
      }
    },
  };
  let stopped: AbortSignal | undefined;
  const swap = async (peer: PeerId): Promise<void> => {
    if (stopped === undefined || stopped.aborted) return;
    try {
      const answer = await callMethod(deps, peer, recordMethod, { record: await records.own() }, { signal: stopped });
      if ((await records.learn(answer.record)).peer !== peer) throw notIts();
    } catch (error) {
      deps.logger.debug('record-not-exchanged', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  return records;
}

const notIts = (): PeerAiError => new PeerAiError('WRONG_RECIPIENT', 'a peer brings its own record here');

function readRecord(crypto: CryptoProvider, sealed: Uint8Array, nowMs: number): PeerRecord | undefined {
  try {
    return openRecord(crypto, sealed, nowMs);
  } catch {
    return undefined;
  }
}
