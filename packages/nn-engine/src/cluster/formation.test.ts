import { createIdentity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { formClusters, type Formation, type FormationOptions, noFormation, type PeerLoad } from './formation.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(31);
const peers = Array.from({ length: 12 }, () => createIdentity(crypto, random.bytes(32)).peer).toSorted();
const peer = (index: number): PeerId => peers[index] ?? expect.fail('so many are not there');
/** Loads of the first peers, in their order; undefined: it says nothing. */
const loads = (...values: readonly (number | undefined)[]): PeerLoad[] =>
  values.flatMap((load, index) => (load === undefined ? [] : [{ peer: peer(index), load }]));
const membersOf = ({ clusters }: Formation): number[][] =>
  clusters.map(({ members }) => members.map((member) => peers.indexOf(member)));
const small: FormationOptions = { membersMin: 2, membersMax: 3 };

describe('Peers', () => {
  it('form clusters of even size and load when enough of them are free', () => {
    const { formation, changes } = formClusters(noFormation, loads(0, 0.1, 0.2, 0.25, 0.3, 0.9), small);
    expect(membersOf(formation)).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(formation.clusters.map(({ id }) => id)).toEqual(['cluster-1', 'cluster-2']);
    expect(changes.map(({ type }) => type)).toEqual(['formed', 'formed']);
    expect(formClusters(noFormation, loads(0), small).formation).toEqual(noFormation);
  });

  it('stay where they are between the two loads, and leave above the upper one or when they are gone', () => {
    const first = formClusters(noFormation, loads(0, 0.1, 0.2), small).formation;
    expect(formClusters(first, loads(0.7, 0.5, 0.3), small)).toEqual({ formation: first, changes: [] });
    const busy = formClusters(first, loads(0, 0.71, 0.2), small);
    expect([membersOf(busy.formation), busy.changes]).toEqual([
      [[0, 2]],
      [{ type: 'left', cluster: 'cluster-1', peer: peer(1), reason: 'busy' }],
    ]);
    const gone = formClusters(first, loads(undefined, 0, 0.2), small);
    expect(gone.changes).toEqual([{ type: 'left', cluster: 'cluster-1', peer: peer(0), reason: 'gone' }]);
  });

  it('join the cluster with the highest load that has room, the least loaded first', () => {
    const formation: Formation = {
      clusters: [
        { id: 'cluster-1', members: [peer(0), peer(1)] },
        { id: 'cluster-2', members: [peer(2), peer(3)] },
      ],
      next: 3,
    };
    const { formation: next, changes } = formClusters(formation, loads(0.1, 0.1, 0.6, 0.6, 0.2, 0.1), small);
    expect(membersOf(next)).toEqual([
      [0, 1, 4],
      [2, 3, 5],
    ]);
    expect(changes).toEqual([
      { type: 'joined', cluster: 'cluster-2', peer: peer(5) },
      { type: 'joined', cluster: 'cluster-1', peer: peer(4) },
    ]);
  });

  it('form anew when too few are left, under a new name', () => {
    const first = formClusters(noFormation, loads(0, 0.1), small).formation;
    const alone = formClusters(first, loads(0.5, 0.9), small);
    expect(alone.formation).toEqual({ clusters: [], next: 2 });
    expect(alone.changes.map(({ type }) => type)).toEqual(['left', 'dissolved']);
    const again = formClusters(first, loads(0.5, undefined, 0.1), small);
    expect([membersOf(again.formation), again.formation.clusters[0]?.id]).toEqual([[[2, 0]], 'cluster-2']);
  });

  it('are counted, and their terms checked', () => {
    const { formationPeersMax, formationMembersMax } = limits;
    const crowd = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ peer: `p${index}` as PeerId, load: 1 }));
    expect(formClusters(noFormation, crowd(formationPeersMax)).formation).toEqual(noFormation);
    expect(() => formClusters(noFormation, crowd(formationPeersMax + 1))).toThrow(code('LIMIT_REACHED'));
    const withOptions = (options: FormationOptions) => () => formClusters(noFormation, [], options);
    expect(withOptions({ membersMax: formationMembersMax })()).toBeDefined();
    expect(withOptions({ membersMax: formationMembersMax + 1 })).toThrow(code('LIMIT_REACHED'));
    for (const wrong of [
      { membersMin: 1 },
      { membersMin: 2.5 },
      { membersMin: 3, membersMax: 4 },
      { joinLoadMax: 0 },
      { joinLoadMax: NaN },
      { leaveLoad: 0.2 },
      { leaveLoad: 1.1 },
    ])
      expect(withOptions(wrong), JSON.stringify(wrong)).toThrow(code('INVALID_OPTION'));
    for (const wrong of [loads(-0.1), loads(1.1), loads(NaN), [...loads(0), ...loads(0)]])
      expect(() => formClusters(noFormation, wrong)).toThrow(code('INVALID_OPTION'));
  });
});

describe('Whatever the loads do', () => {
  const moment = fc.array(fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }), { maxLength: peers.length });
  const story = fc.array(moment, { minLength: 1, maxLength: 8 });
  const terms = fc.constantFrom<FormationOptions>(
    small,
    { membersMin: 2, membersMax: 4 },
    { membersMin: 3, membersMax: 5 },
  );

  it('each peer is in one cluster at the most, sizes hold, nobody busy is in one and nobody free is left over', () => {
    const property = fc.property(story, terms, (moments, options) => {
      const { membersMin = NaN, membersMax = NaN } = options;
      let formation = noFormation;
      for (const values of moments) {
        const now = loads(...values.map((value) => (value === undefined ? undefined : value / 10)));
        const before = formation;
        formation = formClusters(before, now, options).formation;
        const members = formation.clusters.flatMap((cluster) => cluster.members);
        const loadOf = new Map(now.map(({ peer: who, load }) => [who, load]));
        expect(new Set(members).size).toBe(members.length);
        for (const { members: own } of formation.clusters) {
          expect(own.length).toBeGreaterThanOrEqual(membersMin);
          expect(own.length).toBeLessThanOrEqual(membersMax);
        }
        for (const member of members) expect(loadOf.get(member)).toBeLessThanOrEqual(0.7);
        const idle = now.filter(({ peer: who, load }) => load < 0.3 && !members.includes(who));
        const hasRoom = formation.clusters.some(({ members: own }) => own.length < membersMax);
        expect(idle.length).toBeLessThan(hasRoom ? 1 : membersMin);
        // Who may stay, stays, in the same cluster.
        for (const old of before.clusters) {
          const stay = old.members.filter((member) => (loadOf.get(member) ?? 1) <= 0.7);
          if (stay.length < membersMin) continue;
          const same = formation.clusters.find(({ id }) => id === old.id);
          expect(same?.members.slice(0, stay.length)).toEqual(stay);
        }
      }
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('the order in which they come changes nothing, and said again they change nothing', () => {
    const property = fc.property(story, terms, fc.nat(), (moments, options, turn) => {
      let formation = noFormation;
      for (const values of moments) {
        const now = loads(...values.map((value) => (value === undefined ? undefined : value / 10)));
        const place = turn % (now.length + 1);
        const next = formClusters(formation, now, options);
        expect(formClusters(formation, [...now.slice(place), ...now.slice(0, place)].toReversed(), options)).toEqual(
          next,
        );
        formation = next.formation;
        expect(formClusters(formation, now, options)).toEqual({ formation, changes: [] });
      }
    });
    fc.assert(property, { numRuns: 200 });
  });
});
