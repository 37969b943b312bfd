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
    question:
      'Durable ledger entries a second in batches of 100 and of many callers, against a raw file with fdatasync of the same bytes?',
    load: async () => (await import('./benches/ledger-append.ts')).ledgerAppend,
  },
  'ledger-verify': {
    question:
      'Entries a second that `verify` checks on one core, against the native hashes and signature checks they need?',
    load: async () => (await import('./benches/ledger-verify.ts')).ledgerVerify,
  },
  'train-step': {
    question: 'Training steps a second of the 1 M language model, against PyTorch with OpenBLAS on as many threads?',
    load: async () => (await import('./benches/train-step.ts')).trainStep,
  },
  'browser-step': {
    question: 'How much longer does a step of the 1 M language model take in a browser’s tab than natively?',
    load: async () => (await import('./benches/browser-step.ts')).browserStep,
  },
  'stage-hop': {
    question: 'What does a hop of 10 KB to a stage of a model at a peer cost on loopback, against the same stage here?',
    load: async () => (await import('./benches/stage-hop.ts')).stageHop,
  },
  search: {
    question:
      'Searches a second of a durable memory of 100,000 capsules, against usearch alone; does it find the nearest?',
    load: async () => (await import('./benches/search.ts')).search,
  },
  decode: {
    question: 'Tokens a second of the nano model on one core, and of llama.cpp with the same weights?',
    load: async () => (await import('./benches/decode.ts')).decode,
  },
  'nano-quality': {
    question: 'How often is the nano model right, judged by intent, and how often does it know that it does not know?',
    load: async () => (await import('./benches/nano-quality.ts')).nanoQuality,
  },
  'nn-learn': {
    question: 'Does a gating cluster learn two classes that no line parts, against the same cluster untrained?',
    load: async () => (await import('./benches/nn-learn.ts')).nnLearn,
  },
  'masked-sum': {
    question: 'What does a masked sum cost a member and its coordinator, in milliseconds and bytes?',
    load: async () => (await import('./benches/masked-sum.ts')).maskedSum,
  },
  'homomorphic-sum': {
    question: 'What does a sum of encrypted numbers cost a member, who adds up and who opens it, against a masked sum?',
    load: async () => (await import('./benches/homomorphic-sum.ts')).homomorphicSum,
  },
  rounds: {
    question:
      'How many times fewer bytes than gradients at each step do rounds of training send, and what does that cost in loss?',
    load: async () => (await import('./benches/rounds.ts')).rounds,
  },
  'local-steps': {
    question: 'What do local steps between two averages cost in loss, by their number, the packing and the outer step?',
    load: async () => (await import('./benches/local-steps.ts')).localSteps,
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
