import {
  callMethod,
  type Clock,
  fromHex,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import type { Devices } from '../pairing/devices.ts';
import { newestKey } from '../pairing/newest-key.ts';
import { records } from '../store/records.ts';
import { memoryMethod, plainQuestion } from './memory-protocol.ts';

export interface CopiesDeps {
  readonly store: Store;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly devices: Pick<Devices, 'list'>;
}
/** Who was given which capsule, and who is still to be told that one is to be forgotten. On disk: a peer that is away is told when it is back. */
export interface Copies {
  note(capsule: string, peer: PeerId): Promise<void>;
  /** From now on its holders are owed the author's word; how many. */
  owe(capsule: string, statement: Uint8Array): Promise<number>;
  /** Tells one peer, or all, what they are owed; who is not there is told another time. Never throws. */
  tell(signal: AbortSignal, peer?: PeerId): Promise<void>;
}

export function createCopies(deps: CopiesDeps): Copies {
  const room = deps.store.room('memory-copies');
  const held = records<true>(room, 'held');
  const owed = records<string>(room, 'owed');
  const holders = async (capsule: string): Promise<readonly PeerId[]> => {
    const peers: PeerId[] = [];
    // '0' is the character after '/': one capsule's rows and no other's.
    for await (const { key } of room.range(`held/${capsule}/`, `held/${capsule}0`))
      peers.push(key.slice(key.lastIndexOf('/') + 1) as PeerId);
    return peers;
  };
  const tellOne = async (id: string, to: PeerId, statement: string, signal: AbortSignal): Promise<void> => {
    const question = { ...plainQuestion, kind: 'forget' as const, signed: fromHex(statement) };
    try {
      await callMethod(deps, to, memoryMethod, question, { signal });
    } catch (error) {
      if (signal.aborted || !PeerAiError.is(error)) throw error;
      deps.logger.debug('forget-not-told', { peer: to, code: error.code });
      return;
    }
    await room.commit([owed.remove(id)]);
  };
  return {
    note: (capsule, peer) => room.commit([held.put(`${capsule}/${peer}`, true)]),
    async owe(capsule, statement) {
      const peers = await holders(capsule);
      if (peers.length === 0) return 0;
      await room.commit(
        peers.flatMap((peer) => [held.remove(`${capsule}/${peer}`), owed.put(`${peer}/${capsule}`, toHex(statement))]),
      );
      return peers.length;
    },
    async tell(signal, peer) {
      try {
        for await (const [id, statement] of owed.all()) {
          const to = id.slice(0, id.indexOf('/')) as PeerId;
          const now = newestKey(deps.devices, to);
          if (peer === undefined || now === peer) await tellOne(id, now, statement, signal);
        }
      } catch (error) {
        if (!signal.aborted)
          deps.logger.warn('forget-not-told', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      }
    },
  };
}
