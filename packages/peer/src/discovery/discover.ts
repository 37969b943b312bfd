import { type Clock, type CryptoProvider, type Directory, type Identity, openRecord } from '@peerai/core-protocol';
import type { Discover } from '@peerai/messaging/http';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';

interface DiscoverDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly directory: Directory;
  readonly devices: Pick<Devices, 'isBlocked'>;
}

/** Answers others' discovery messages from the records found: `mistral` and `model:mistral` name a model. Never of a blocked peer. */
export function discoverIn({ identity, clock, crypto, directory, devices }: DiscoverDeps): Discover {
  const isTold = (bytes: Uint8Array): boolean => {
    try {
      return !devices.isBlocked(openRecord(crypto, bytes, clock.nowMs()).peer);
    } catch {
      return false;
    }
  };
  return async (capabilities, signal) => {
    const bounded = clock.deadline(limits.discoverMs, signal);
    const models = capabilities.map((name) => `model:${name.replace(/^model:/u, '')}` as const);
    const found: Uint8Array[] = [];
    for (const what of models.length === 0 ? [identity.peer] : models)
      for await (const bytes of directory.find(what, bounded)) if (isTold(bytes)) found.push(bytes);
    return found;
  };
}
