import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../ports/index.ts';
import { nodeCryptoLimits } from './limits.ts';
import { nodeCrypto, verificationKey } from './node.ts';
import { packSignatures, type SignatureBatch, type SignedMessage } from './signature-batch.ts';

const { threadsMax, threadIdleMsMax, startAtSignatures } = nodeCryptoLimits;

export interface SignatureThreadsDeps {
  readonly clock: Pick<Clock, 'deadline'>;
}
export interface SignatureThreads {
  /** Threads that run now. */
  readonly running: number;
  /**
   * Whether every signature holds, by the very rule of `nodeCrypto.ed25519.verify`. Bytes are copied at once. Never rejects: what cannot be
   * checked, also because the threads were stopped, does not hold.
   */
  allHold(signed: readonly SignedMessage[]): Promise<boolean>;
  /** Ends the threads. Safe to call twice; more signatures start them again. */
  stop(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** Who waits for its answers, in order. */
  readonly waiting: ((holds: boolean) => void)[];
}

const holdsHere = ({ signature, message, publicKey }: SignedMessage): boolean =>
  nodeCrypto.ed25519.verify(signature, message, publicKey);

/** `undefined` where a key or a signature is none. */
function batchOf(signed: readonly SignedMessage[]): SignatureBatch | undefined {
  const keys: KeyObject[] = [];
  const keyAt: number[] = [];
  for (const { signature, publicKey } of signed) {
    const key = signature.length === 64 ? verificationKey(publicKey) : undefined;
    if (key === undefined) return undefined;
    let place = keys.indexOf(key);
    if (place < 0) place = keys.push(key) - 1;
    keyAt.push(place);
  }
  return { keys, bytes: packSignatures(signed, keyAt) };
}

/**
 * Checks Ed25519 signatures on all cores, a batch a message: handing over a single one costs a tenth of checking it. Threads start with the
 * first large batch and end when there was nothing to do for a while; they keep no process alive by themselves.
 *
 * @param options.threads - 1 to 8; as many as there are cores unless said.
 */
export function createSignatureThreads(
  { clock }: SignatureThreadsDeps,
  options: { readonly threads?: number } = {},
): SignatureThreads {
  const count = Math.min(threadsMax, Math.max(1, options.threads ?? availableParallelism()));
  let threads: Thread[] = [];
  let idle: AbortController | undefined;

  const rest = (): void => {
    if (threads.length === 0 || threads.some(({ waiting }) => waiting.length > 0)) return;
    idle = new AbortController();
    const { signal } = idle;
    const over = clock.deadline(threadIdleMsMax, signal);
    over.addEventListener('abort', () => (signal.aborted ? undefined : void stop()), { once: true });
  };
  const lost = (thread: Thread): void => {
    threads = threads.filter((one) => one !== thread);
    for (const answer of thread.waiting.splice(0)) answer(false);
  };
  const start = (): Thread => {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const url = new URL(`./signature-thread.${ending}`, import.meta.url);
    const worker = new Worker(url, { name: 'peerai-signatures', execArgv: [] });
    const thread: Thread = { worker, waiting: [] };
    worker.on('message', (holds: boolean) => {
      thread.waiting.shift()?.(holds);
      if (thread.waiting.length > 0) return;
      worker.unref();
      rest();
    });
    worker.on('error', () => lost(thread));
    worker.on('exit', () => lost(thread));
    // After the listeners: each of them would hold the process again.
    worker.unref();
    return thread;
  };
  const send = (batch: SignatureBatch): Promise<boolean> => {
    idle?.abort();
    if (threads.length === 0) threads = Array.from({ length: count }, start);
    const free = threads.reduce((least, one) => (one.waiting.length < least.waiting.length ? one : least));
    free.worker.ref();
    return new Promise((resolve) => {
      free.waiting.push(resolve);
      free.worker.postMessage(batch, [batch.bytes]);
    });
  };
  async function stop(): Promise<void> {
    idle?.abort();
    const ending = threads;
    threads = [];
    await Promise.all(ending.map(async ({ worker }) => worker.terminate()));
  }
  return {
    get running() {
      return threads.length;
    },
    async allHold(signed) {
      if (threads.length === 0 && signed.length < startAtSignatures) return signed.every(holdsHere);
      const batch = batchOf(signed);
      return batch === undefined ? false : send(batch);
    },
    stop,
  };
}
