import {
  type Clock,
  type Directory,
  type Identity,
  limits as coreLimits,
  type Logger,
  type PeerRecord,
  signRecord,
  type Store,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { ToldField } from './discovery.schema.ts';
import { toldAddresses } from './told-addresses.ts';

export interface AnnouncerDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly store: Store;
  readonly logger: Logger;
  readonly directory: Directory;
  readonly tells: readonly ToldField[];
  readonly name: string;
  readonly agent: string;
  readonly addresses: () => readonly string[];
  /** Models that others may ask for. */
  readonly models: () => readonly string[];
}

type Said = Pick<PeerRecord, 'name' | 'models' | 'addresses' | 'agent'>;

const sequenceCodec = wire.message({ sequence: wire.uint53(1) });
const sequenceKey = 'sequence';

/** Keeps this peer's own signed record known: signed anew when what it says has changed, and before it expires. Ends with the signal. */
export async function keepAnnounced(deps: AnnouncerDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger } = deps;
  let told: { readonly says: string; readonly untilMs: number } | undefined;
  while (!signal.aborted) {
    const fields = saidNow(deps);
    const says = JSON.stringify(fields);
    if (told?.says !== says || clock.nowMs() >= told.untilMs) {
      try {
        await announce(deps, fields);
        told = { says, untilMs: clock.nowMs() + limits.recordLifeMs / 2 };
      } catch (error) {
        logger.warn('record-not-announced', { error: error instanceof Error ? error.message : 'unknown' });
      }
    }
    await clock.sleep(limits.announceLookMs, signal).catch(() => undefined);
  }
}

async function announce({ identity, clock, store, directory }: AnnouncerDeps, fields: Said): Promise<void> {
  const nowMs = clock.nowMs();
  const row = await store.get(sequenceKey);
  const sequence = Math.max(nowMs, row === undefined ? 0 : sequenceCodec.decode(row).sequence + 1);
  await store.commit([store.put(sequenceKey, sequenceCodec.encode({ sequence }))]);
  await directory.announce(signRecord(identity, { ...fields, sequence, expiresMs: nowMs + limits.recordLifeMs }));
}

/** What may be said, within what a record holds. */
function saidNow({ tells, name, agent, addresses, models }: AnnouncerDeps): Said {
  const fits = (bytesMax: number) => (text: string) => utf8(text).length <= bytesMax;
  const told = (field: ToldField, all: () => readonly string[]): readonly string[] =>
    tells.includes(field) ? all() : [];
  const names = told('name', () => [name]).filter(fits(coreLimits.nameBytesMax));
  return {
    name: names[0] ?? '',
    agent: fits(coreLimits.nameBytesMax)(agent) ? agent : 'peerai',
    models: told('models', models).filter(fits(coreLimits.modelNameBytesMax)).slice(0, coreLimits.recordModelsMax),
    addresses: told('addresses', () => toldAddresses(addresses()))
      .filter(fits(coreLimits.addressBytesMax))
      .slice(0, limits.addressesMax),
  };
}
