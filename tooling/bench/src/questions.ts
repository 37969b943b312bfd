import type { Bench } from './harness.ts';

/** Every question this package answers, loaded when it is asked. */
export const questions: Readonly<Record<string, () => Promise<Bench>>> = {
  gateway: async () => (await import('./benches/gateway.ts')).gateway,
  stream: async () => (await import('./benches/stream.ts')).stream,
  seal: async () => (await import('./benches/seal.ts')).seal,
  'ledger-append': async () => (await import('./benches/ledger-append.ts')).ledgerAppend,
  'ledger-verify': async () => (await import('./benches/ledger-verify.ts')).ledgerVerify,
  decode: async () => (await import('./benches/decode.ts')).decode,
  'nano-quality': async () => (await import('./benches/nano-quality.ts')).nanoQuality,
  start: async () => (await import('./benches/start.ts')).start,
  page: async () => (await import('./benches/page.ts')).page,
};
