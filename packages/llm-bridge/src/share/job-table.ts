import { type Clock, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Job } from './job.ts';

/** A request and whoever reads its answer now: one at a time, the newest. */
export interface Entry {
  readonly peer: PeerId;
  readonly digest: string;
  readonly job: Job;
  /** Ended answers stay for a moment. */
  ended: boolean;
  reader: AbortController | undefined;
  /** Aborted when the client is back. */
  lost: AbortController | undefined;
}
/** Requests by peer and id: a second one with the same id finds the first. */
export interface JobTable {
  find(peer: PeerId, requestId: string): Entry | undefined;
  add(peer: PeerId, requestId: string, digest: string, job: Job): Entry;
  /** Makes this reader the entry's only one; the signal fires when another takes its place. */
  attach(entry: Entry): AbortSignal;
  /** The reader has gone: at once when it meant to, else the client has a moment to come back. */
  detach(entry: Entry, reader: AbortSignal, meantTo: boolean): void;
  readonly size: number;
  /** Cancels everything. */
  stop(): void;
}

export function createJobTable(clock: Clock): JobTable {
  const entries = new Map<string, Entry>();
  const stopped = new AbortController();
  const keyOf = (peer: PeerId, requestId: string): string => `${peer}/${requestId}`;
  const remove = (key: string, entry: Entry): void => {
    if (entries.get(key) === entry) entries.delete(key);
  };
  /** The oldest ended answers make room. */
  const trim = (peer: PeerId): void => {
    const ended = [...entries].filter(([, entry]) => entry.ended);
    const mine = ended.filter(([, entry]) => entry.peer === peer);
    const [old] = mine.length > limits.answersKeptPerPeerMax ? mine : ended.length > limits.answersKeptMax ? ended : [];
    if (old !== undefined) entries.delete(old[0]);
  };
  const keep = async (key: string, entry: Entry): Promise<void> => {
    await entry.job.done;
    entry.ended = true;
    const { length, ending } = entry.job.transcript;
    trim(entry.peer);
    // A refusal is not worth keeping: asked again it is judged again.
    const worth = length > 0 || ending?.type === 'finish';
    if (worth) await clock.sleep(limits.answerKeptMs, stopped.signal).catch(() => undefined);
    remove(key, entry);
  };
  const waitForReturn = async (entry: Entry, back: AbortSignal): Promise<void> => {
    const gone = await clock.sleep(limits.resumeGraceMs, back).then(
      () => true,
      () => false,
    );
    if (gone)
      entry.job.cancel(llmError('ANSWER_INTERRUPTED', 'the client was gone; the answer was stopped where it was'));
  };
  return {
    find: (peer, requestId) => entries.get(keyOf(peer, requestId)),
    add(peer, requestId, digest, job) {
      const key = keyOf(peer, requestId);
      const entry: Entry = { peer, digest, job, ended: false, reader: undefined, lost: undefined };
      entries.set(key, entry);
      void keep(key, entry);
      return entry;
    },
    attach(entry) {
      entry.lost?.abort();
      entry.lost = undefined;
      entry.reader?.abort(llmError('REQUEST_ID_REUSED', 'the same request came over another channel'));
      entry.reader = new AbortController();
      return entry.reader.signal;
    },
    detach(entry, reader, meantTo) {
      if (entry.reader?.signal !== reader) return;
      entry.reader = undefined;
      if (entry.ended) return;
      if (meantTo) return entry.job.cancel(new PeerAiError('ABORTED', 'the client stopped this'));
      entry.lost = new AbortController();
      void waitForReturn(entry, entry.lost.signal);
    },
    get size() {
      return entries.size;
    },
    stop() {
      stopped.abort();
      for (const { job } of entries.values())
        job.cancel(new PeerAiError('REFUSED', 'this peer does not share its models any more'));
    },
  };
}
