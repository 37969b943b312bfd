import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, utf8 } from '@peerai/core-protocol';
import { lockFile, putSmallFile, readSmallFile } from '@peerai/core-protocol/files-node';
import { transportError } from '../../errors.ts';
import { limits } from './limits.ts';
import type { SignalBoard } from './board.ts';
import {
  isFresh,
  isSignalName,
  parseJson,
  readAnswer,
  readOffer,
  readTimeMs,
  type SignalOffer,
  writeAnswer,
  writeOffer,
} from './note.ts';

type View = Record<string, unknown>;

/**
 * The one file `signaling.json`, as older programs know it: `<name>_offer` and `<name>_answer`, one of each a name. Those write it in place
 * and without a lock; we write it whole under `<file>.lock`, keep what we do not understand, and throw away what is stale.
 */
export function createViewBoard(file: string, clock: Clock): SignalBoard {
  const read = async (): Promise<View> => viewOf(parseJson(await readSmallFile(file, limits.signalViewBytesMax)));

  const lockTimes = { clock, staleMs: limits.signalLockStaleMs, pollMs: limits.signalPollBusyMs / 2 };

  /** An older program may be writing just now; what stays half a file for a second is not its last word. */
  async function readWhole(): Promise<View> {
    for (let turn = 0; turn < limits.signalHalfFileLooksMax; turn += 1) {
      const bytes = await readSmallFile(file, limits.signalViewBytesMax);
      const value = parseJson(bytes);
      if (bytes === undefined || bytes.length === 0 || value !== undefined) return viewOf(value);
      await clock.sleep(limits.signalHalfFileMs);
    }
    return viewOf(undefined);
  }

  async function change(edit: (view: View) => void): Promise<void> {
    await using _ = await lockFile(`${file}.lock`, lockTimes);
    const view = await readWhole();
    for (const [key, entry] of Object.entries(view)) if (isStale(key, entry, clock.nowMs())) delete view[key];
    edit(view);
    const text = JSON.stringify(view);
    if (utf8(text).length > limits.signalViewBytesMax) throw transportError('LIMIT_EXCEEDED', `${file} is full`);
    await putSmallFile(file, text);
  }
  const remove = async (key: string, isOurs: (entry: unknown) => boolean): Promise<void> => {
    if (!isOurs((await read())[key])) return;
    await change((view) => {
      if (isOurs(view[key])) delete view[key];
    }).catch(() => undefined);
  };
  /** The form has room for one of each a name. */
  const place = (key: string, note: object, isOurs: (entry: unknown) => boolean): Promise<void> =>
    change((view) => {
      if (key in view && !isOurs(view[key]))
        throw transportError('LIMIT_REACHED', `${file} has no room for a second ${key}`);
      view[key] = note;
    });
  const isOffer =
    (id: string) =>
    (entry: unknown): boolean =>
      readOffer(entry, 'x')?.id === id;
  const isAnswer =
    (id: string) =>
    (entry: unknown): boolean =>
      readAnswer(entry, 'x')?.for === id;

  return {
    async prepare() {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    },
    putOffer: (offer) => place(`${offer.from}_offer`, writeOffer(offer), isOffer(offer.id)),
    async offersTo(self) {
      const offers: SignalOffer[] = [];
      for (const [key, entry] of Object.entries(await read())) {
        const name = key.endsWith('_offer') ? key.slice(0, -'_offer'.length) : '';
        const offer = isSignalName(name) && name !== self ? readOffer(entry, name) : undefined;
        if (offer === undefined || offer.from !== name || (offer.to ?? self) !== self) continue;
        if (isFresh(offer.writtenMs, clock.nowMs())) offers.push(offer);
      }
      return offers;
    },
    putAnswer: (answer) => place(`${answer.from}_answer`, writeAnswer(answer), isAnswer(answer.for)),
    async answerTo(offer) {
      for (const [key, entry] of Object.entries(await read())) {
        const answer = key.endsWith('_answer') ? readAnswer(entry, key.slice(0, -'_answer'.length)) : undefined;
        if (answer?.for === offer.id && isFresh(answer.writtenMs, clock.nowMs())) return answer;
      }
      return undefined;
    },
    isUp: async (answer) => isAnswer(answer.for)((await read())[`${answer.from}_answer`]),
    removeOffer: (offer) => remove(`${offer.from}_offer`, isOffer(offer.id)),
    removeAnswer: (answer) => remove(`${answer.from}_answer`, isAnswer(answer.for)),
    appear: (self) => change((view) => void (view[`${self}_here`] = { ts: clock.nowMs() / 1_000 })),
    leave: (self) => remove(`${self}_here`, () => true),
    async isHere(peer) {
      const writtenMs = readTimeMs((await read())[`${peer}_here`]);
      return writtenMs !== undefined && isFresh(writtenMs, clock.nowMs());
    },
  };
}

function viewOf(value: unknown): View {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.assign(Object.create(null), value)
    : {};
}

function isStale(key: string, entry: unknown, nowMs: number): boolean {
  if (!/_(offer|answer|here)$/u.test(key)) return false;
  const writtenMs = readTimeMs(entry);
  return writtenMs === undefined || !isFresh(writtenMs, nowMs);
}
