import { type Change, type Store, toBase64Url } from '@peerai/core-protocol';
import type { LeaseRecord } from '@peerai/ledger/lease';
import { records } from '../store/records.ts';
import type { LeaseResult } from './lending.schema.ts';
import { decodeNumbers } from './work.ts';

/** What is to be done on a lease, as its borrower keeps it. */
export interface Job {
  /** Length of a vector, vectors, vectors of one run, and nodes of the cluster. */
  readonly inputs: number;
  readonly vectors: number;
  readonly perRun: number;
  readonly nodes: number;
}
/** `job/<id>` · `start/<id>` the cluster that is sent · `in/<id>` all inputs · `out/<id>/<n>` what a run gave · `end/<id>` the cluster as it came back. */
export interface Jobs {
  get(id: string): Promise<Job | undefined>;
  /** For the commit that signs the offer. */
  begin(id: string, job: Job, start: Uint8Array, numbers: Uint8Array): readonly Change[];
  start(id: string): Promise<Uint8Array | undefined>;
  /** Inputs of the n-th run, from 1; absent after the last. */
  inputsOf(id: string, job: Job, n: number): Promise<Uint8Array | undefined>;
  /** For the commit that signs a run's receipt. */
  ran(id: string, n: number, outputs: Uint8Array): readonly Change[];
  ended(id: string): Promise<boolean>;
  end(id: string, state: Uint8Array): Promise<void>;
  /** What came of it so far; absent where nothing did, and when it is no longer kept. */
  result(lease: LeaseRecord, hash: (bytes: Uint8Array) => string): Promise<LeaseResult | undefined>;
  remove(ids: readonly string[]): Promise<void>;
}

export function createJobs(store: Store): Jobs {
  const rows = records<Job>(store, 'job');
  const place = (n: number): string => n.toString(16).padStart(8, '0');
  const outputs = async (id: string): Promise<Float64Array[]> => {
    const all: Float64Array[] = [];
    for await (const { value } of store.range(`out/${id}/`, `out/${id}0`)) all.push(decodeNumbers(value));
    return all;
  };
  return {
    get: (id) => rows.get(id),
    begin: (id, job, start, numbers) => [
      rows.put(id, job),
      store.put(`start/${id}`, start),
      store.put(`in/${id}`, numbers),
    ],
    start: (id) => store.get(`start/${id}`),
    async inputsOf(id, { inputs, vectors, perRun }, n) {
      if ((n - 1) * perRun >= vectors) return undefined;
      const numbers = await store.get(`in/${id}`);
      return numbers?.slice((n - 1) * perRun * inputs * 8, n * perRun * inputs * 8);
    },
    ran: (id, n, bytes) => [store.put(`out/${id}/${place(n)}`, bytes)],
    ended: async (id) => (await store.get(`end/${id}`)) !== undefined,
    // The inputs are of no use any more.
    end: (id, state) => store.commit([store.put(`end/${id}`, state), store.put(`in/${id}`), store.put(`start/${id}`)]),
    async result({ id }, hash) {
      const [job, state] = [await rows.get(id), await store.get(`end/${id}`)];
      const values = await outputs(id);
      if (job === undefined || values.length === 0) return undefined;
      const lists = values.flatMap((some) =>
        Array.from({ length: some.length / job.nodes }, (_, row) => [
          ...some.subarray(row * job.nodes, (row + 1) * job.nodes),
        ]),
      );
      return {
        vectors: lists.length,
        asked: job.vectors,
        nodes: job.nodes,
        outputs: lists,
        ...(state === undefined ? {} : { state: toBase64Url(state), stateSha256: hash(state) }),
      };
    },
    async remove(ids) {
      for (const id of ids) {
        const gone = [rows.remove(id), store.put(`start/${id}`), store.put(`in/${id}`), store.put(`end/${id}`)];
        for await (const { key } of store.range(`out/${id}/`, `out/${id}0`)) gone.push(store.put(key));
        await store.commit(gone);
      }
    },
  };
}
