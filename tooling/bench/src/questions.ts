import type { Bench } from './harness.ts';

export interface Question {
  readonly question: string;
  /** Loaded when it is asked: a list needs no libp2p and no browser. */
  readonly load: () => Promise<Bench>;
}

/** Every question this package answers, by its name. */
export const questions: Readonly<Record<string, Question>> = {
  gateway: {
    question:
      'Tokens a second and time to first token through my gateway to a peer’s model, against its engine called directly?',
    load: async () => (await import('./benches/gateway.ts')).gateway,
  },
  stream: {
    question:
      'Our channel on loopback between two processes, over TCP and WebRTC, against a bare libp2p stream and a raw socket?',
    load: async () => (await import('./benches/stream.ts')).stream,
  },
  seal: {
    question: 'Signed and sealed messages of 256 B a second on one core, against the sum of the parts?',
    load: async () => (await import('./benches/seal.ts')).seal,
  },
  gossip: {
    question:
      'Signed messages on a topic among our nodes, against gossipsub of libp2p alone; how many of 1,000 reach 50 nodes, and how soon?',
    load: async () => (await import('./benches/gossip.ts')).gossip,
  },
  scale: {
    question:
      'What does a node of a network of 5 to 50 take, and what would one of 10,000 by a model calibrated with these?',
    load: async () => (await import('./benches/scale.ts')).scale,
  },
  neighbour: {
    question: 'How much later do an honest device’s messages arrive while a neighbour sends ten times what it may?',
    load: async () => (await import('./benches/neighbour.ts')).neighbour,
  },
  pool: {
    question:
      'Posts a second over the kept connections of letters by HTTP, against fetch; what does a closed door cost?',
    load: async () => (await import('./benches/pool.ts')).pool,
  },
  dht: {
    question: 'How soon is a peer’s signed record found through our DHT, against kad-dht of libp2p alone?',
    load: async () => (await import('./benches/dht.ts')).dht,
  },
  'ledger-append': {
    question: 'Durable ledger entries a second in batches of 100, against a raw file with fdatasync of the same bytes?',
    load: async () => (await import('./benches/ledger-append.ts')).ledgerAppend,
  },
  'ledger-verify': {
    question:
      'Entries a second that `verify` checks on one core, against the native hashes and signature checks they need?',
    load: async () => (await import('./benches/ledger-verify.ts')).ledgerVerify,
  },
  decode: {
    question: 'Tokens a second of the nano model on one core?',
    load: async () => (await import('./benches/decode.ts')).decode,
  },
  'nano-quality': {
    question: 'How often is the nano model right, judged by intent, and how often does it know that it does not know?',
    load: async () => (await import('./benches/nano-quality.ts')).nanoQuality,
  },
  start: {
    question: 'How long from `peerai up` to ready, and how much memory does the agent hold at rest?',
    load: async () => (await import('./benches/start.ts')).start,
  },
  page: {
    question: 'How much do the dashboard and a guest’s page bring, and how soon does a guest see a first token?',
    load: async () => (await import('./benches/page.ts')).page,
  },
};
