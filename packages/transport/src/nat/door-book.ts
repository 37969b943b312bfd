import type { CheckedAddress, Clock, Logger, Network, PeerId } from '@peerai/core-protocol';
import { reasonOf } from '../errors.ts';
import { type Door, doorAddress, doorOf, doorsAnswer, doorsProtocol, doorsQuestion } from './doors.ts';
import { limits } from './limits.ts';

export interface DoorBookDeps {
  readonly network: Pick<Network, 'open' | 'links'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whom to ask: the relays that the owner, or a group, names now. */
  readonly isRelay: (peer: PeerId) => boolean;
  /** What this node listens on and announces now. */
  readonly listened: () => readonly string[];
}

/** Which own addresses others could dial, as they say. */
export interface DoorBook {
  checked(): readonly CheckedAddress[];
  /** Asks each relay when a link to it is up, and again from time to time, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function createDoorBook({ network, clock, logger, isRelay, listened }: DoorBookDeps): DoorBook {
  const told = new Map<PeerId, readonly CheckedAddress[]>();
  /** From when on a relay is asked, monotonic milliseconds; of relays alone, so there are never more than those. */
  const dueMs = new Map<PeerId, number>();
  /** What one said that is a relay of ours no more is nobody's word. */
  const forget = (): void => {
    for (const book of [told, dueMs]) for (const peer of book.keys()) if (!isRelay(peer)) book.delete(peer);
  };

  async function ask(relay: PeerId, doors: readonly Door[], signal: AbortSignal): Promise<void> {
    const until = clock.deadline(limits.askMs, signal);
    const channel = await network.open(relay, doorsProtocol, { signal: until });
    const stop = (): void => void channel.close('ABORTED');
    until.addEventListener('abort', stop, { once: true });
    try {
      await channel.send(doorsQuestion.encode({ doors }));
      for await (const message of channel) {
        const { host, states } = doorsAnswer.decode(message);
        told.set(relay, checkedAddresses(relay, clock.nowMs(), host, doors, states));
        return;
      }
    } finally {
      until.removeEventListener('abort', stop);
      if (!channel.signal.aborted) void channel.close();
    }
  }

  return {
    checked() {
      forget();
      return [...told.values()].flat();
    },
    async run(signal) {
      for await (const { peer, path, state } of network.links(signal)) {
        if (!isRelay(peer) || path !== 'direct') continue;
        forget();
        const nowMs = clock.elapsedMs();
        const due = dueMs.get(peer) ?? nowMs;
        // Who comes back may come from elsewhere.
        if (state === 'down') dueMs.set(peer, Math.min(due, nowMs + limits.askSoonMs));
        const doors = doorsOf(listened());
        if (state === 'down' || nowMs < due || doors.length === 0) continue;
        dueMs.set(peer, nowMs + limits.askAgainMs);
        void ask(peer, doors, signal).catch((error: unknown) => {
          // Relays of an older version know no such question.
          if (!signal.aborted) logger.debug('doors-not-tried', { relay: peer, reason: reasonOf(error) });
        });
      }
    },
  };
}

function doorsOf(addresses: readonly string[]): Door[] {
  const doors = new Map(
    addresses.flatMap((address) => {
      const door = doorOf(address);
      return door === undefined ? [] : [[`${door.kind} ${door.port}`, door] as const];
    }),
  );
  return [...doors.values()].slice(0, limits.doorsMax);
}

/** What was not tried is not known. The host is foreign text: what is no IP address is left out. */
function checkedAddresses(
  by: PeerId,
  atMs: number,
  host: string,
  doors: readonly Door[],
  states: readonly string[],
): readonly CheckedAddress[] {
  if (!/^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:.]{2,45})$/iu.test(host)) return [];
  return doors.flatMap((door, index) => {
    const state = states[index];
    return state === 'reachable' || state === 'unreachable'
      ? [{ address: doorAddress(host, door), state, by, atMs }]
      : [];
  });
}
