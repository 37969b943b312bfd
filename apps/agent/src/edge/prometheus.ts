import type { Peer } from '@peerai/peer';
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from 'prom-client';
import { type Counts, type EdgeMetrics, type Latency, latencyBuckets } from './metrics.ts';

/** Prometheus text for `/metrics`. No peer ids in labels: they would be many, and they say who talks to whom. */
export function createPrometheus(peer: Peer, counts: Counts): EdgeMetrics['read'] {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'peerai_' });
  registerLooks(registry, peer);
  registerCounts(registry, peer, counts);
  registry.registerMetric(latencyMetric(counts.answered));
  return async () => ({
    contentType: registry.contentType,
    // The library's word for what has no samples yet is not the format's.
    text: (await registry.metrics()).replaceAll(/ Nan$/gmu, ' NaN'),
  });
}

/** Gauges that look when they are asked. */
function registerLooks(registry: Registry, peer: Peer): void {
  const look = (name: string, help: string, value: () => number | Promise<number>): void => {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        this.set(await value());
      },
    });
    registry.registerMetric(gauge);
  };
  const peers = new Gauge({
    name: 'peerai_peers',
    help: 'Known peers by state and path.',
    labelNames: ['state', 'path'],
    registers: [],
    collect() {
      this.reset();
      for (const { state, path } of peer.peers.list()) this.inc({ state, path: path ?? 'none' });
    },
  });
  registry.registerMetric(peers);
  look('peerai_link_bytes', 'Bytes over all links since the start.', () => peer.linkBytes());
  look('peerai_answers_running', 'Answers being given to other peers now.', () => peer.answering().active);
  look('peerai_answers_waiting', 'Requests of other peers in the queue.', () => peer.answering().queued);
  look('peerai_ledger_entries', 'Entries in the own log.', async () => (await peer.books.head()).size);
  look(
    'peerai_messages_waiting',
    'Letters on disk for peers that do not have them yet.',
    async () => (await peer.messages.counts()).waiting,
  );
  look(
    'peerai_mailboxes',
    'Relays that keep letters for this peer now.',
    async () => (await peer.messages.counts()).mailboxes,
  );
}

type Counted = readonly (readonly [Readonly<Record<string, string>>, number])[];

/** Counters of which the count is kept elsewhere. */
function registerCounts(registry: Registry, peer: Peer, counts: Counts): void {
  const count = (
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Counted | Promise<Counted>,
  ): void => {
    const counter = new Counter({
      name,
      help,
      labelNames,
      registers: [],
      async collect() {
        const counted = await read();
        this.reset();
        for (const [labels, value] of counted) this.inc(labels, value);
      },
    });
    registry.registerMetric(counter);
  };
  const states = 'Letters that were delivered, refused or expired since the start.';
  count('peerai_messages_ended_total', states, ['state'], async () =>
    Object.entries((await peer.messages.counts()).ended).map(([state, value]) => [{ state }, value] as const),
  );
  count('peerai_receipts_signed_total', 'Receipts that both sides signed.', [], () => [[{}, counts.receipts]]);
  count('peerai_tokens_total', 'Tokens in signed receipts.', ['role', 'kind'], () =>
    [...counts.tokens].flatMap(([role, { prompt, answer }]) => [
      [{ role, kind: 'prompt' }, prompt] as const,
      [{ role, kind: 'answer' }, answer] as const,
    ]),
  );
  count('peerai_auth_failures_total', 'Refused requests of the local API.', ['code'], () =>
    [...counts.refused].map(([code, value]) => [{ code }, value] as const),
  );
}

const latencyName = 'peerai_http_request_seconds';

/** A histogram whose counts are kept elsewhere: the library's own takes observations one by one only. */
function latencyMetric(answered: ReadonlyMap<string, Latency>): Metric {
  const metric = {
    name: latencyName,
    get: async () => ({
      name: latencyName,
      help: 'Time to the end of an answer of the local API.',
      type: 'histogram',
      values: [...answered].flatMap(([route, latency]) => latencyValues(route, latency)),
    }),
  };
  return metric as unknown as Metric;
}

/** Buckets add up: each holds all that took no longer than its end. */
function latencyValues(route: string, { counts, sum }: Latency) {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const end = latencyBuckets[index];
    const labels = { le: end === undefined ? '+Inf' : `${end}`, route };
    return { metricName: `${latencyName}_bucket`, labels, value: total };
  });
  return [
    ...buckets,
    { metricName: `${latencyName}_sum`, labels: { route }, value: sum },
    { metricName: `${latencyName}_count`, labels: { route }, value: total },
  ];
}
