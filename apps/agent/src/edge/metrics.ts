import type { Peer } from '@peerai/peer';

export interface EdgeMetrics {
  /** Prometheus text, with everything counted since the start. */
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
  refused(code: string): void;
  answered(route: string, seconds: number): void;
}

/** Upper ends of what an answer may take, seconds; the rest is one more. */
export const latencyBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60] as const;

export interface Latency {
  /** Answers of each bucket, those above all of them last. */
  readonly counts: number[];
  sum: number;
}
/** What is counted from the start on. Keys are codes, areas and roles of ours: there are few. */
export interface Counts {
  readonly refused: Map<string, number>;
  readonly answered: Map<string, Latency>;
  readonly tokens: Map<'provider' | 'consumer', { prompt: number; answer: number }>;
  receipts: number;
}

/** Counts at once; what writes it down for Prometheus, a hundred modules, is loaded when somebody first asks. */
export function createMetrics(peer: Peer, signal: AbortSignal): EdgeMetrics {
  const counts: Counts = { refused: new Map(), answered: new Map(), tokens: new Map(), receipts: 0 };
  let writing: Promise<EdgeMetrics['read']> | undefined;
  void countReceipts(peer, counts, signal);
  return {
    async read() {
      writing ??= import('./prometheus.ts').then(({ createPrometheus }) => createPrometheus(peer, counts));
      return (await writing)();
    },
    refused: (code) => void counts.refused.set(code, (counts.refused.get(code) ?? 0) + 1),
    answered(route, seconds) {
      const known = counts.answered.get(route);
      const latency = known ?? { counts: Array.from({ length: latencyBuckets.length + 1 }, () => 0), sum: 0 };
      if (known === undefined) counts.answered.set(route, latency);
      const index = latencyBuckets.findIndex((end) => seconds <= end);
      const bucket = index < 0 ? latencyBuckets.length : index;
      latency.counts[bucket] = (latency.counts[bucket] ?? 0) + 1;
      latency.sum += seconds;
    },
  };
}

async function countReceipts(peer: Peer, counts: Counts, signal: AbortSignal): Promise<void> {
  for await (const { event } of peer.events.subscribe(signal)) {
    if (event.type !== 'receipt-signed') continue;
    const role = event.receipt.provider === peer.id ? 'provider' : 'consumer';
    const tokens = counts.tokens.get(role) ?? { prompt: 0, answer: 0 };
    counts.tokens.set(role, tokens);
    counts.receipts += 1;
    tokens.prompt += event.receipt.promptTokens;
    tokens.answer += event.receipt.answerTokens;
  }
}
