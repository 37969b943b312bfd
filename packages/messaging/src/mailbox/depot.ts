import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Identity,
  type Network,
  parsePeerId,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import type { Depot } from '../outbox/courier.ts';
import { writeLetter } from '../sealed/form.ts';
import { pad, sealTo } from '../sealed/seal.ts';
import { mailboxLimits } from './limits.ts';
import { mailboxMethod } from './protocol.ts';
import type { Records } from './records.ts';

export interface DepotDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly identity: Identity;
  readonly records: Records;
}

/** The relay in a multiaddr: its last `/p2p/<id>`. `undefined` where there is none. */
export function relayIn(address: string): PeerId | undefined {
  const text = /\/p2p\/([^/]+)\/?$/u.exec(address)?.[1];
  try {
    return text === undefined ? undefined : parsePeerId(text);
  } catch {
    return undefined;
  }
}

/** Seals something signed to a peer's key and leaves it at the first of its mailboxes that takes it. Throws what the last one threw. */
export async function leaveSealed(
  deps: DepotDeps,
  to: PeerId,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { letterKey, mailboxes = [] } = deps.records.get(to) ?? {};
  let failure: unknown = new PeerAiError('MAILBOX_UNKNOWN', 'this peer names no mailbox');
  if (letterKey === undefined) throw failure;
  const letter = await sealTo(deps, letterKey, pad(content), 'letter');
  for (const address of mailboxes) {
    const relay = relayIn(address);
    if (relay === undefined || relay === deps.identity.peer) continue;
    signal.throwIfAborted();
    const question = { verb: 'leave', to, letter, after: undefined, done: [] } as const;
    try {
      await callMethod(deps, relay, mailboxMethod, question, { signal, addresses: [address] });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The mailboxes that peers name in their records. */
export function createDepot(deps: DepotDeps): Depot {
  return {
    keptMs: mailboxLimits.keptMs,
    reaches: (to) => {
      const record = deps.records.get(to);
      return record?.letterKey !== undefined && (record.mailboxes ?? []).length > 0;
    },
    leave: (to, letter, before, signal) =>
      leaveSealed(deps, to, writeLetter(deps.identity, to, letter, before), signal),
  };
}
