import type { PeerId } from '@peerai/core-protocol';
import type { Dice } from '../dice.ts';
import type { Agenda } from './agenda.ts';

/** Lines that lose, delay, repeat and reorder messages, and are cut in one direction or both, until they are healed. */
export interface FaultyLinks {
  send(from: PeerId, to: PeerId, bytes: Uint8Array): void;
  /** Now and then, until healed: some lines are cut and others work again. */
  trouble(): void;
  heal(): void;
}

/** Milliseconds that a message takes, and that a late one may take. */
const hopMs = 40;
const lateMs = 1_500;

export function createLinks(
  agenda: Agenda,
  dice: Dice,
  peers: readonly PeerId[],
  deliver: (from: PeerId, to: PeerId, bytes: Uint8Array) => void,
): FaultyLinks {
  const [lossRate, repeatRate, lateRate] = [dice.below(20) / 100, dice.below(8) / 100, dice.below(10) / 100];
  let cut = new Set<string>();
  let isHealed = false;
  return {
    send(from, to, bytes) {
      const times = !isHealed && dice.chance(repeatRate) ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        if (!isHealed && (cut.has(`${from} ${to}`) || dice.chance(lossRate))) continue;
        const ms = !isHealed && dice.chance(lateRate) ? dice.below(lateMs) : 1 + dice.below(hopMs);
        agenda.after(ms, () => deliver(from, to, bytes));
      }
    },
    trouble() {
      cut = new Set();
      if (dice.chance(0.4)) return;
      const side = new Set(peers.filter(() => dice.chance(0.4)));
      const isOneWay = dice.chance(0.5);
      for (const from of peers)
        for (const to of peers)
          if (side.has(from) !== side.has(to) && (!isOneWay || side.has(from))) cut.add(`${from} ${to}`);
    },
    heal() {
      isHealed = true;
      cut = new Set();
    },
  };
}
