import type { PeerId } from '@peerai/core-protocol';
import type { RunningGroup } from './group.ts';

/** Tells once of each member that the agreement has proven to lie, with a name for the proof: the same after a restart. */
export function createLiarTeller(lied: (peer: PeerId, proof: string) => void): (group: RunningGroup) => void {
  const told = new Set<string>();
  return (group) => {
    for (const peer of group.status().liars) {
      const proof = `agreement/${group.id}`;
      if (told.has(`${proof}/${peer}`)) continue;
      told.add(`${proof}/${peer}`);
      lied(peer, proof);
    }
  };
}
