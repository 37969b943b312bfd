import { type PeerId, toHex } from '@peerai/core-protocol';
import type { MemoryStore } from '@peerai/core-protocol/testing';
import { type Agreement, agreementLimits as limits } from '../src/agreement/index.ts';
import { createGroup, identityOf } from './members.ts';

const running: Agreement[] = [];
export async function stopAll(): Promise<void> {
  for (const one of running.splice(0)) await one.stop();
}
/** Two places in `identities`. */
export type Link = readonly [number, number];
export const line = (count: number): Link[] => Array.from({ length: count - 1 }, (_, at) => [at, at + 1] as const);
/** Each with each. */
export const mesh = (places: readonly number[]): Link[] =>
  places.flatMap((one, index) => places.slice(index + 1).map((other): Link => [one, other]));
export const headOf = (one: Agreement): string => `${one.status().height} ${toHex(one.status().head)}`;

/** Members of which only these are linked, and so many more that are none yet; `start` starts those at these places, on the disk that they had before. */
export function linked(count: number, links: readonly Link[], more = 0) {
  const group = createGroup(count);
  const identities = [...group.identities, ...Array.from({ length: more }, (_, at) => identityOf(1_000 + at))];
  const peers = identities.map(({ peer }) => peer);
  let now = links;
  const isLinked = (from: PeerId, to: PeerId): boolean =>
    now.some(([a, b]) => [a, b].includes(peers.indexOf(from)) && [a, b].includes(peers.indexOf(to)));
  group.loses = (from, to) => !isLinked(from, to);
  const stores = new Map<number, MemoryStore>();
  const join = async (place: number): Promise<Agreement> => {
    const identity = identities[place];
    if (identity === undefined) throw new Error('nobody');
    const { agreement, store } = await group.join(identity, {}, stores.get(place));
    stores.set(place, store);
    running.push(agreement);
    return agreement;
  };
  const start = async (places: readonly number[]): Promise<Agreement[]> => {
    const members = await Promise.all(places.map(join));
    for (const agreement of members) await group.clock.until(agreement.start());
    // They hear each other, and say so.
    await group.clock.advance(2 * limits.resendMs);
    return members;
  };
  return {
    ...group,
    identities,
    group,
    peers,
    isLinked,
    link: group.link.bind(group),
    /** From now on these are linked and no others. */
    relink: (links: readonly Link[]) => void (now = links),
    start,
    until: group.clock.until.bind(group.clock),
  };
}
