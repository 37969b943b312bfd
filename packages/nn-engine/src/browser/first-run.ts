import { type Served, WorkerFailure } from '../program/session.ts';

/**
 * The session, until its first run fails: then another one takes over, from the state that was carried, and makes that run.
 *
 * Whether a graph fits into shaders shows in its first run alone: until then none is made. A run that failed for its feeds (WorkerFailure) says nothing
 * of that. Who succeeded once stays.
 *
 * @param carried - inputs whose state goes over.
 * @param otherwise - opens the other one, told what the run threw.
 */
export function untilItFails(
  session: Served,
  carried: readonly string[],
  otherwise: (cause: unknown) => Promise<Served>,
): Served {
  let now = session;
  let isProven = false;
  return {
    async run(feeds) {
      if (isProven) return await now.run(feeds);
      try {
        const result = await now.run(feeds);
        isProven = true;
        return result;
      } catch (error) {
        if (error instanceof WorkerFailure) throw error;
        const next = await otherwise(error);
        for (const input of carried) next.write(input, await now.read(input));
        await now.release();
        now = next;
        isProven = true;
        return await now.run(feeds);
      }
    },
    settle: (counts) => now.settle(counts),
    read: (input) => now.read(input),
    write: (input, value) => now.write(input, value),
    release: () => now.release(),
  };
}
