import { mkdir, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { putSmallFile, readSmallFile, removeFile } from '@peerai/core-protocol/files-node';
import { limits } from './limits.ts';
import type { SignalBoard } from './board.ts';
import {
  isFresh,
  parseJson,
  readAnswer,
  readOffer,
  readTimeMs,
  type SignalAnswer,
  writeAnswer,
  writeOffer,
} from './note.ts';

/** Ours, and what we leave half-written when we are killed. */
const ownForm = /\.(offer|answer|here)\.json$|^\.[0-9a-f-]{36}\.tmp$/u;

/** One file a message: `<to>.<id>.offer.json`, `<id>.answer.json`, `<peer>.here.json`. */
export function createFolderBoard(folder: string, clock: { nowMs(): number; elapsedMs(): number }): SignalBoard {
  const offerFile = (to: string, id: string): string => join(folder, `${to}.${id}.offer.json`);
  const answerFile = ({ for: id }: Pick<SignalAnswer, 'for'>): string => join(folder, `${id}.answer.json`);
  const hereFile = (peer: string): string => join(folder, `${peer}.here.json`);
  const read = async (path: string): Promise<unknown> =>
    parseJson(await readSmallFile(path, limits.signalFileBytesMax));
  const put = (path: string, note: object): Promise<void> => putSmallFile(path, JSON.stringify(note));
  const sweep = createSweep(folder, clock);

  return {
    async prepare() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    },
    putOffer: (offer) => put(offerFile(offer.to ?? '', offer.id), writeOffer(offer)),
    async offersTo(self) {
      const names = await namesIn(folder);
      await sweep(names);
      const mine = names.filter((name) => name.startsWith(`${self}.`) && name.endsWith('.offer.json'));
      const offers = await Promise.all(mine.map(async (name) => readOffer(await read(join(folder, name)))));
      return offers.filter(
        (offer) => offer !== undefined && offer.to === self && isFresh(offer.writtenMs, clock.nowMs()),
      ) as never;
    },
    putAnswer: (answer) => put(answerFile(answer), writeAnswer(answer)),
    async answerTo({ id }) {
      const answer = readAnswer(await read(answerFile({ for: id })));
      return answer?.for === id && isFresh(answer.writtenMs, clock.nowMs()) ? answer : undefined;
    },
    isUp: (answer) =>
      stat(answerFile(answer)).then(
        () => true,
        () => false,
      ),
    removeOffer: ({ to, id }) => removeFile(offerFile(to ?? '', id)),
    removeAnswer: (answer) => removeFile(answerFile(answer)),
    appear: (self) => put(hereFile(self), { ts: clock.nowMs() / 1_000 }),
    leave: (self) => removeFile(hereFile(self)),
    async isHere(peer) {
      const writtenMs = readTimeMs(await read(hereFile(peer)));
      return writtenMs !== undefined && isFresh(writtenMs, clock.nowMs());
    },
  };
}

/** The first so many: a flood of files costs us one bounded look. */
async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  const entries = await opendir(folder).catch(() => undefined);
  if (entries === undefined) return names;
  for await (const { name } of entries) {
    if (!ownForm.test(name)) continue;
    names.push(name);
    if (names.length >= limits.signalFilesMax) break;
  }
  return names;
}

/** Removes files that have not changed for long, by our own watch: clocks of two machines and of a file server differ. */
function createSweep(folder: string, clock: { elapsedMs(): number }): (names: readonly string[]) => Promise<void> {
  const seen = new Map<string, { readonly changedMs: number; readonly sinceMs: number }>();
  return async (names) => {
    const now = clock.elapsedMs();
    const there = new Set(names);
    for (const name of seen.keys()) if (!there.has(name)) seen.delete(name);
    await Promise.all(
      names.map(async (name) => {
        const known = seen.get(name);
        if (known !== undefined && now - known.sinceMs < limits.signalSweepMs) return;
        const changedMs = await stat(join(folder, name)).then(
          (one) => one.mtimeMs,
          () => undefined,
        );
        if (changedMs === undefined) return;
        if (known?.changedMs === changedMs) await removeFile(join(folder, name));
        else seen.set(name, { changedMs, sinceMs: now });
      }),
    );
  };
}
