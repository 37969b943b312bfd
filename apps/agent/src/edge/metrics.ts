import type { Peer } from '@peerai/peer';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface EdgeMetrics {
  readonly registry: Registry;
  refused(code: string): void;
  answered(route: string, seconds: number): void;
}

/** Prometheus text for `/metrics`. No peer ids in labels: they would be many, and they say who talks to whom. */
export function createMetrics(peer: Peer, signal: AbortSignal): EdgeMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'peerai_' });
  const registers = [registry];
  /** A gauge that looks when it is asked. */
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
  const letters = new Counter({
    name: 'peerai_messages_ended_total',
    help: 'Letters that were delivered, refused or expired since the start.',
    labelNames: ['state'],
    registers: [],
    async collect() {
      const { ended } = await peer.messages.counts();
      this.reset();
      for (const [state, count] of Object.entries(ended)) this.inc({ state }, count);
    },
  });
  registry.registerMetric(letters);
  const receipts = new Counter({
    name: 'peerai_receipts_signed_total',
    help: 'Receipts that both sides signed.',
    registers,
  });
  const tokens = new Counter({
    name: 'peerai_tokens_total',
    help: 'Tokens in signed receipts.',
    labelNames: ['role', 'kind'],
    registers,
  });
  const authFailures = new Counter({
    name: 'peerai_auth_failures_total',
    help: 'Refused requests of the local API.',
    labelNames: ['code'],
    registers,
  });
  const latency = new Histogram({
    name: 'peerai_http_request_seconds',
    help: 'Time to the end of an answer of the local API.',
    labelNames: ['route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  void (async () => {
    for await (const { event } of peer.events.subscribe(signal)) {
      if (event.type !== 'receipt-signed') continue;
      receipts.inc();
      const role = event.receipt.provider === peer.id ? 'provider' : 'consumer';
      tokens.inc({ role, kind: 'prompt' }, event.receipt.promptTokens);
      tokens.inc({ role, kind: 'answer' }, event.receipt.answerTokens);
    }
  })();
  return {
    registry,
    refused: (code) => authFailures.inc({ code }),
    answered: (route, seconds) => latency.observe({ route }, seconds),
  };
}
