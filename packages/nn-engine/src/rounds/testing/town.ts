import { createIdentity, type Identity, type Network, type PeerId, toHex } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, seededRandom } from '@peerai/core-protocol/testing';

import {
  type BlobTable,
  createBlobTable,
  createRuns,
  firstState,
  type Learner,
  type RunEvent,
  type RunSpec,
} from '../index.ts';
import { smallRun as spec } from './spec.ts';

export interface Town {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
}

export interface Player {
  readonly peer: PeerId;
  readonly identity: Identity;
  readonly network: Network;
  readonly blobs: BlobTable;
  readonly events: RunEvent[];
  readonly stop: AbortController;
  take(
    ask: readonly Player[],
    change?: { readonly spec?: RunSpec; readonly learner?: Learner; readonly leads?: boolean },
  ): Promise<Float32Array>;
}

export function town(): Town {
  const clock = new ManualClock();
  return { clock, networks: createMemoryNetworks({ clock, random: seededRandom(1), latencyMs: 5 }) };
}

/** Peers in the order of their names, so that the first is the next coordinator when another is gone. */
export function players(
  here: Town,
  count: number,
  isGranted: () => boolean = () => true,
  mayJoin: (peer: PeerId, run: Uint8Array) => boolean = () => true,
): readonly Player[] {
  const random = seededRandom(3);
  const identities = Array.from({ length: count }, () => createIdentity(crypto, random.bytes(32)));
  return identities
    .toSorted((a, b) => (a.peer < b.peer ? -1 : 1))
    .map((identity, index) => {
      const network = here.networks.join(identity.peer, { isGranted });
      const blobs = createBlobTable(crypto);
      serveBlobs(network, blobs);
      const events: RunEvent[] = [];
      const stop = new AbortController();
      const runs = createRuns({
        network,
        clock: here.clock,
        crypto,
        identity,
        blobs,
        mayJoin,
        random: seededRandom(40 + index),
      });
      return {
        peer: identity.peer,
        identity,
        network,
        blobs,
        events,
        stop,
        async take(ask, { spec: wanted = spec, learner = pulling(here.clock, index), leads = true } = {}) {
          const { weights } = await runs.takePart({
            spec: wanted,
            from: firstState(new Float32Array(wanted.size)),
            ask: ask.map(({ peer }) => peer),
            learner,
            leads,
            onEvent: (event) => events.push(event),
            signal: stop.signal,
          });
          return weights;
        },
      };
    });
}

/** Each pulls every weight halfway to its own number, in a second; what all want is the mean. */
export function pulling(clock: ManualClock, goal: number, ms = 1_000): Learner {
  return {
    async learn(weights, { signal }) {
      await clock.sleep(ms, signal);
      const mean = weights.reduce((sum, value) => sum + (goal - value) ** 2, 0) / weights.length;
      return { weights: weights.map((value) => value + (goal - value) / 2), loss: mean };
    },
  };
}

export const closedAt = ({ events }: Player) =>
  events.flatMap((event) => (event.type === 'closed' ? [`${event.round} ${toHex(event.hash)}`] : []));
export const led = ({ events, peer }: Player) =>
  events.some((event) => event.type === 'coordinator' && event.peer === peer);
