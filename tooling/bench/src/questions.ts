import type { Bench } from './harness.ts';

/** Every question this package answers, loaded when it is asked. */
export const questions: Readonly<Record<string, () => Promise<Bench>>> = {
  seal: async () => (await import('./benches/seal.ts')).seal,
  'ledger-append': async () => (await import('./benches/ledger-append.ts')).ledgerAppend,
  'ledger-verify': async () => (await import('./benches/ledger-verify.ts')).ledgerVerify,
  stream: async () => (await import('./benches/stream.ts')).stream,
};
