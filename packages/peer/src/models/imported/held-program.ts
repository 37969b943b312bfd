import { type Clock, orAborted, PeerAiError } from '@peerai/core-protocol';
import { modelLimits } from '../limits.ts';

export interface HeldProgram {
  /** Which one is in memory. */
  loaded(): string | undefined;
  /** Loads it unless it is there, and uses it; one after the other. A key is of one kind. Throws LIMIT_REACHED, and what loading and the use throw. */
  use<Kind extends AsyncDisposable, T>(
    key: string,
    load: () => Promise<Kind>,
    work: (program: Kind) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
  /** Ends it when nobody uses it any more, if its key begins so. */
  drop(beginning?: string): Promise<void>;
}

/** Faults of a question, after which the program goes on. */
const harmless = ['SHAPE_MISMATCH', 'INVALID_FORMAT', 'LIMIT_REACHED', 'LIMIT_EXCEEDED', 'PROMPT_TOO_LONG'] as const;

/** One program at a time: each may take gigabytes. The last one stays for a minute. */
export function createHeldProgram(clock: Clock): HeldProgram {
  let held: { readonly key: string; readonly program: AsyncDisposable } | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let resting = new AbortController();
  const end = async (): Promise<void> => {
    const { program } = held ?? {};
    held = undefined;
    await program?.[Symbol.asyncDispose]();
  };
  const inTurn = async <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    const before = turn;
    const over = Promise.withResolvers<void>();
    turn = before.then(() => over.promise);
    try {
      await (signal === undefined ? before : orAborted(before, signal));
      return await work();
    } finally {
      over.resolve();
    }
  };
  const drop = (beginning = ''): Promise<void> =>
    inTurn(undefined, async () => {
      if (held?.key.startsWith(beginning) === true) await end();
    });
  const rest = (): void => {
    resting.abort();
    resting = new AbortController();
    clock.sleep(modelLimits.modelRestMs, resting.signal).then(
      () => (waiting === 0 ? drop() : undefined),
      () => undefined,
    );
  };
  return {
    loaded: () => held?.key,
    async use<Kind extends AsyncDisposable, T>(
      key: string,
      load: () => Promise<Kind>,
      work: (program: Kind) => Promise<T>,
      signal: AbortSignal,
    ) {
      if (waiting >= modelLimits.modelRunsWaitingMax) {
        throw new PeerAiError('LIMIT_REACHED', `${modelLimits.modelRunsWaitingMax} runs of models wait already`);
      }
      waiting += 1;
      try {
        return await inTurn(signal, async () => {
          if (held?.key !== key) {
            await end();
            held = { key, program: await load() };
          }
          try {
            return await work(held.program as Kind);
          } catch (error) {
            if (!PeerAiError.is(error, ...harmless)) await end();
            throw error;
          }
        });
      } finally {
        waiting -= 1;
        rest();
      }
    },
    drop(beginning) {
      if (beginning === undefined) resting.abort();
      return drop(beginning);
    },
  };
}
