import { createIdentity, type Identity, type Network, type PeerId, toHex } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, seededRandom } from '@peerai/core-protocol/testing';

import {
  createBlobTable,
  createRuns,
  firstState,
  type Learner,
  type RunEvent,
  type RunSpec,
  type UnmaskedStates,
  type UpdatePrivacy,
} from '../index.ts';
import { thresholdOf } from '../../privacy/index.ts';
import { smallRun } from './spec.ts';

/** A member of a private run over a network in memory. */
export interface Member {
  readonly peer: PeerId;
  readonly identity: Identity;
  readonly events: RunEvent[];
  readonly stop: AbortController;
  take(ask: readonly PeerId[], change?: MemberOptions): Promise<Float32Array>;
}

export interface MemberOptions {
  readonly spec?: RunSpec;
  readonly learner?: Learner;
  readonly privacy?: UpdatePrivacy;
  readonly unmasked?: UnmaskedStates;
  /** Between the member and its network: to record, to cut. */
  readonly through?: (network: Network) => Network;
}

export interface Village {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
  readonly members: readonly Member[];
  readonly spec: RunSpec;
}

/** A small private run of these members. */
export const privateSpec = (members: readonly PeerId[]): RunSpec => ({
  ...smallRun,
  name: 'some that keep their updates to themselves',
  rounds: 4,
  bits: 32,
  rule: 'masked-sum',
  membersMin: thresholdOf(members.length),
  private: { members, elementMax: 8 },
});

/** @param count - members, all invited, sorted by their names. @param learnerOf - by place. */
export function village(
  count: number,
  terms: Partial<RunSpec> & Pick<RunSpec, 'size'>,
  learnerOf: (place: number, clock: ManualClock) => Learner,
): Village {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1), latencyMs: 5 });
  const random = seededRandom(3);
  const identities = Array.from({ length: count }, () => createIdentity(crypto, random.bytes(32))).toSorted((a, b) =>
    a.peer < b.peer ? -1 : 1,
  );
  const spec: RunSpec = { ...privateSpec(identities.map(({ peer }) => peer)), ...terms };
  const members = identities.map((identity, place) => {
    const events: RunEvent[] = [];
    const stop = new AbortController();
    const joined = networks.join(identity.peer, { isGranted: () => true });
    return {
      peer: identity.peer,
      identity,
      events,
      stop,
      async take(ask: readonly PeerId[], change: MemberOptions = {}) {
        const { learner = learnerOf(place, clock), privacy, unmasked, through = (network) => network } = change;
        const network = through(joined);
        const blobs = createBlobTable(crypto);
        serveBlobs(network, blobs);
        using runs = createRuns({ network, clock, crypto, identity, blobs, random: seededRandom(100 + place) });
        const wanted = change.spec ?? spec;
        const { weights } = await runs.takePart({
          spec: wanted,
          from: firstState(new Float32Array(wanted.size)),
          ask,
          learner,
          onEvent: (event) => void events.push(event),
          ...(privacy === undefined ? {} : { privacy }),
          ...(unmasked === undefined ? {} : { unmasked }),
          signal: stop.signal,
        });
        // Who is behind asks once more: the answer stays for a while.
        await clock.sleep(30_000);
        return weights;
      },
    };
  });
  return { clock, networks, members, spec };
}

export const closedAt = ({ events }: Member): readonly string[] =>
  events.flatMap((event) => (event.type === 'closed' ? [`${event.round} ${toHex(event.hash)}`] : []));
