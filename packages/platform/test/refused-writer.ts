/**
 * A program that commits a chain, two commits under way, until two are refused; says how many were acknowledged before and what the refused
 * ones were told, or with which code opening was refused. Then it is killed. From its arguments: the file, and the size of the log from which
 * on a checkpoint is made.
 */
import { storeLimits } from '../src/node/store/limits.ts';
import { openStore } from '../src/node/store/open-store.ts';

export interface Told {
  /** Of commits that were acknowledged. */
  readonly count: number;
  /** Codes. */
  readonly refusals: readonly string[];
  /** A code, where the store did not open. */
  readonly unopened?: string;
}

const [path = '', checkpointBytes = storeLimits.checkpointBytes] = process.argv.slice(2);
Object.assign(storeLimits, { checkpointBytes: Number(checkpointBytes) });
const told = { count: 0, refusals: [] as string[] };
const { refusals } = told;
const codeOf = (error: unknown): string => (error as { code: string }).code;

const store = await openStore(path).catch((error: unknown) => tell({ ...told, unopened: codeOf(error) }));
const tip = (number: number): Uint8Array | undefined => (number < 0 ? undefined : Buffer.from(String(number)));
const onto = (number: number): Promise<unknown> => {
  const row = store.put(`k${String(number).padStart(6, '0')}`, new Uint8Array(3_000));
  return store.commit([{ ...store.put('tip', tip(number)), expected: { value: tip(number - 1) } }, row]).then(
    () => (told.count += 1),
    (error: unknown) => refusals.push(codeOf(error)),
  );
};
while (refusals.length < 2 && told.count < 400) {
  const next = told.count;
  const one = onto(next);
  await new Promise(setImmediate);
  await Promise.all([one, onto(next + 1)]);
}
tell(told);

function tell(told: Told): never {
  console.log(JSON.stringify(told));
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}
