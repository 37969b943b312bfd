import type { ControlEvent, TrainingDetail } from '@peerai/peer/control';
import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { fixtureClusters } from '../../test/fixture-clusters.ts';
import { fixturePairing, fixtureShare, fixtureState } from '../../test/fixture-data.ts';
import { fixtureRound } from '../../test/fixture-training.ts';
import { keys } from './keys.ts';
import { limits } from './limits.ts';
import { applyEvent, startLive } from './live.ts';

const state = fixtureState('http://127.0.0.1:1', 0);
const [study, nuc] = state.peers as [(typeof state.peers)[number], (typeof state.peers)[number]];

function cacheWith(): QueryClient {
  const cache = new QueryClient();
  cache.setQueryData(keys.peers, [study, nuc]);
  cache.setQueryData(keys.pairings, { v: 1, invites: [], pending: [] });
  cache.setQueryData(keys.shares, [fixtureShare('s1', {}, 0)]);
  return cache;
}

describe('A live event', () => {
  it('changes one device and leaves the others', () => {
    const cache = cacheWith();
    applyEvent(cache, { type: 'peer-disconnected', peer: { ...nuc, state: 'offline' } });
    expect(cache.getQueryData<typeof state.peers>(keys.peers)?.map((peer) => peer.state)).toEqual([
      'online',
      'offline',
    ]);
    applyEvent(cache, { type: 'peer-removed', peerId: nuc.peerId });
    expect(cache.getQueryData(keys.peers)).toEqual([study]);
  });

  it('keeps the last `metricsPointsMax` state metrics', () => {
    const cache = cacheWith();
    const { metrics } = fixtureClusters(0);
    for (let at = 0; at <= limits.metricsPointsMax; at += 1)
      applyEvent(cache, { type: 'metrics_update', metrics: { ...metrics, watchedUntilMs: at } });
    const kept = cache
      .getQueryData<readonly (typeof metrics)[]>(keys.stateMetrics)
      ?.map(({ watchedUntilMs }) => watchedUntilMs);
    expect(kept).toEqual(Array.from({ length: limits.metricsPointsMax }, (_, at) => at + 1));
  });

  it('brings new requests and shares in, once', () => {
    const cache = cacheWith();
    const pairing = fixturePairing({}, 0);
    applyEvent(cache, { type: 'pairing-changed', pairing });
    applyEvent(cache, { type: 'pairing-changed', pairing: { ...pairing, state: 'accepted' } });
    expect(cache.getQueryData(keys.pairings)).toMatchObject({ pending: [{ id: 'p1', state: 'accepted' }] });
    applyEvent(cache, { type: 'share-changed', share: fixtureShare('s2', {}, 0) });
    expect(cache.getQueryData<{ id: string }[]>(keys.shares)?.map(({ id }) => id)).toEqual(['s2', 's1']);
  });

  it('brings groups, changes them, takes them away, and puts what is said first', () => {
    const cache = new QueryClient();
    const [kitchen, lab] = state.groups as [(typeof state.groups)[number], (typeof state.groups)[number]];
    const [said] = state.groupMessages as [(typeof state.groupMessages)[number]];
    cache.setQueryData(keys.groups, [kitchen]);
    cache.setQueryData([...keys.groups, kitchen.id, 'messages'], [said]);
    applyEvent(cache, { type: 'group-changed', groupId: lab.id, group: lab });
    applyEvent(cache, { type: 'group-changed', groupId: kitchen.id, group: { ...kitchen, epoch: 4 } });
    expect(cache.getQueryData(keys.groups)).toMatchObject([{ name: 'Kitchen table', epoch: 4 }, { name: 'Lab' }]);
    applyEvent(cache, { type: 'group-changed', groupId: kitchen.id, group: null });
    expect(cache.getQueryData(keys.groups)).toEqual([lab]);
    applyEvent(cache, { type: 'group-message-received', message: { ...said, id: 'new' } });
    applyEvent(cache, { type: 'group-message-received', message: { ...said, id: 'new' } });
    const messages = cache.getQueryData<{ id: string }[]>([...keys.groups, kitchen.id, 'messages']);
    expect(messages?.map(({ id }) => id)).toEqual(['new', said.id]);
  });

  it('moves a run on, and puts a round that is told again in the place of the first word of it', () => {
    const cache = new QueryClient();
    const [run] = state.training.runs as [(typeof state.training.runs)[number]];
    const round = fixtureRound(14, 0);
    const key = [...keys.training, run.id];
    cache.setQueryData(keys.training, [run]);
    cache.setQueryData(key, { ...run, v: 1, rounds: state.training.rounds });
    applyEvent(cache, { type: 'training-changed', run: { ...run, round: 15 } });
    applyEvent(cache, { type: 'training-round', runId: run.id, round: { ...round, after: null } });
    applyEvent(cache, { type: 'training-round', runId: run.id, round });
    expect(cache.getQueryData(keys.training)).toMatchObject([{ round: 15 }]);
    const detail = cache.getQueryData<TrainingDetail>(key);
    expect(detail?.round).toBe(15);
    expect(detail?.rounds.map((one) => one.round)).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(detail?.rounds.at(-1)?.after).toEqual(round.after);
  });

  it('keeps how much of a split model is at its devices, the newest word of it', () => {
    const cache = new QueryClient();
    for (const moved of [1, 3]) applyEvent(cache, { type: 'split-progress', name: 'n', moved, bytes: 4 });
    expect(cache.getQueryData(keys.splitProgress)).toMatchObject({ moved: 3, bytes: 4 });
  });

  it('has the list of what is remembered asked for again, and ends the one that was forgotten', () => {
    const cache = new QueryClient();
    const one = [...keys.memoryOne, 'a'];
    cache.setQueryData([...keys.memory, {}], { pages: [] });
    cache.setQueryData(one, { id: 'a' });
    cache.setQueryData([...keys.memorySearch, {}], { hits: [{ capsule: { id: 'a' } }, { capsule: { id: 'b' } }] });
    applyEvent(cache, { type: 'memory-changed', capsuleId: 'a', isHere: false });
    expect(cache.getQueryData([...keys.memorySearch, {}])).toEqual({ hits: [{ capsule: { id: 'b' } }] });
    expect(cache.getQueryState([...keys.memory, {}])?.isInvalidated).toBe(true);
    expect(cache.getQueryData(one)).toBeNull();
    applyEvent(cache, { type: 'memory-changed', capsuleId: 'a', isHere: true });
    expect(cache.getQueryState(one)?.isInvalidated).toBe(true);
  });

  it('has documents asked for again, the one that is open with the list', () => {
    const cache = new QueryClient();
    cache.setQueryData(keys.documents, []);
    cache.setQueryData([...keys.documents, 'bb'], {});
    applyEvent(cache, { type: 'state-changed', documentId: 'bb', keys: ['a'], text: false });
    expect(cache.getQueryState(keys.documents)?.isInvalidated).toBe(true);
    expect(cache.getQueryState([...keys.documents, 'bb'])?.isInvalidated).toBe(true);
  });

  it('invents nothing while nothing was fetched', () => {
    const cache = new QueryClient();
    applyEvent(cache, { type: 'peer-updated', peer: study });
    expect(cache.getQueryData(keys.peers)).toBeUndefined();
  });
});

describe('The live connection', () => {
  it('comes back after each break with the last id, waiting longer each time', async () => {
    const end = new AbortController();
    const asked: (string | undefined)[] = [];
    const waits: number[] = [];
    const traffic = { type: 'traffic', bytesPerSecond: 5, tokensPerSecond: 2, answering: 1 } as const;
    const events = (
      _signal: AbortSignal,
      lastEventId?: string,
    ): AsyncIterable<ControlEvent & { readonly id: string }> => {
      asked.push(lastEventId);
      return (async function* () {
        if (asked.length === 1) yield { ...traffic, id: '7' };
        throw new Error('cut');
      })();
    };
    const sleep = (ms: number): Promise<void> => {
      waits.push(ms);
      if (waits.length === 6) end.abort();
      return Promise.resolve();
    };
    const live = startLive({ client: { events }, cache: new QueryClient(), now: () => 0, sleep }, end.signal);
    await expect.poll(() => end.signal.aborted).toBe(true);
    expect(asked).toEqual([undefined, '7', '7', '7', '7', '7']);
    expect(waits).toEqual([...limits.reconnectMs, limits.reconnectMs.at(-1), limits.reconnectMs.at(-1)]);
    expect(live.state).toMatchObject({
      link: 'lost',
      answering: 1,
      traffic: [{ bytesPerSecond: 5, tokensPerSecond: 2 }],
    });
  });

  it('keeps one minute of traffic', async () => {
    const end = new AbortController();
    const events = async function* (signal: AbortSignal) {
      for (let i = 0; i <= limits.trafficPointsMax; i += 1) {
        yield { type: 'traffic' as const, bytesPerSecond: i, tokensPerSecond: 0, answering: 0, id: `${i}` };
      }
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const sleep = (): Promise<void> => Promise.resolve();
    const live = startLive({ client: { events }, cache: new QueryClient(), now: () => 0, sleep }, end.signal);
    await expect.poll(() => live.state.traffic.at(-1)?.bytesPerSecond).toBe(limits.trafficPointsMax);
    expect(live.state.traffic).toHaveLength(limits.trafficPointsMax);
    expect(live.state.traffic[0]?.bytesPerSecond).toBe(1);
    end.abort();
  });
});
