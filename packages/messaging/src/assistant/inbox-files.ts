import { lstat, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, fromUtf8, PeerAiError, utf8 } from '@peerai/core-protocol';
import { lockFile, putSmallFile, readSmallFile } from '@peerai/core-protocol/files-node';
import { assistantLimits } from './limits.ts';

/** One envelope as it stands in a file: nothing in it is deeper than its own fields. */
type Entry = Readonly<Record<string, string | number | boolean | null>>;

/** The folder `inbox` of the first assistants: `<name>.json` holds what waits for that name, a JSON array of envelopes. */
export interface InboxFiles {
  /** Adds an envelope. Throws INVALID_FORMAT (name, envelope), LIMIT_REACHED (full, or held by somebody else), LIMIT_EXCEEDED (no such file), what the file system says. */
  put(to: string, envelope: Uint8Array): Promise<void>;
  /**
   * Gives each envelope for this name to `handle`, oldest first, and then takes out those it returned from: what a process that dies in between had
   * is there again at its next start. What it throws ends the round and is thrown on. Says how many were handled. Throws as `put`.
   */
  take(self: string, handle: (envelope: Uint8Array) => Promise<void> | void): Promise<number>;
}

export function openInboxFiles(folder: string, { clock }: { readonly clock: Clock }): InboxFiles {
  const times = { clock, staleMs: assistantLimits.lockStaleMs, pollMs: assistantLimits.lockPollMs };

  /** The file's new content, under its lock; `edit` says nothing where nothing changes. */
  async function change(file: string, edit: (entries: readonly Entry[]) => readonly Entry[] | undefined) {
    await using _ = await lockFile(`${file}.lock`, times);
    const entries = edit(await readWhole(file, clock));
    if (entries !== undefined) await putSmallFile(file, written(entries), await modeIn(folder));
  }
  return {
    async put(to, envelope) {
      const file = fileOf(folder, to);
      const [entry] = readInbox(utf8(`[${fromUtf8(envelope)}]`)) ?? [];
      if (entry === undefined) throw new PeerAiError('INVALID_FORMAT', 'this is no envelope');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await change(file, (entries) => {
        const all = [...entries, entry];
        const isFull = all.length > assistantLimits.inboxEnvelopesMax;
        if (isFull || utf8(written(all)).length > assistantLimits.inboxBytesMax) {
          throw new PeerAiError('LIMIT_REACHED', `${file} is full`);
        }
        return all;
      });
    },
    async take(self, handle) {
      const file = fileOf(folder, self);
      const entries = readInbox(await readFile(file));
      if (entries?.length === 0) return 0;
      // Half a file: the one who has the lock looks until it is whole.
      if (entries === undefined) {
        await change(file, () => undefined);
        return 0;
      }
      const own = entries.filter(({ to, from }) => to === self && from !== self);
      const done: string[] = [];
      try {
        for (const entry of own) {
          await handle(utf8(JSON.stringify(entry)));
          done.push(JSON.stringify(entry));
        }
      } finally {
        const hasOurOwn = entries.some(({ from }) => from === self);
        if (done.length > 0 || hasOurOwn) await change(file, (now) => without(now, self, done));
      }
      return done.length;
    },
  };
}

/** What is left when these were handled: each as often as it was, and nothing of our own. */
function without(entries: readonly Entry[], self: string, done: readonly string[]): readonly Entry[] {
  const counts = new Map<string, number>();
  for (const text of done) counts.set(text, (counts.get(text) ?? 0) + 1);
  return entries.filter((entry) => {
    const text = JSON.stringify(entry);
    const count = counts.get(text) ?? 0;
    if (count > 0) counts.set(text, count - 1);
    return count === 0 && entry['from'] !== self;
  });
}

function fileOf(folder: string, name: string): string {
  if (!isAssistantName(name)) {
    throw new PeerAiError(
      'INVALID_FORMAT',
      `a name is 1 to ${assistantLimits.nameCharsMax} letters, digits, "-" and "_"`,
    );
  }
  return join(folder, `${name}.json`);
}

/** A name that can be a file's too. */
export const isAssistantName = (name: string): boolean =>
  /^[A-Za-z0-9_-]+$/u.test(name) && name.length <= assistantLimits.nameCharsMax;

/** As the first assistants write it. */
const written = (entries: readonly Entry[]): string => JSON.stringify(entries, null, 2);

/** A file is as open as its folder: two accounts that share one read each other's. */
const modeIn = async (folder: string): Promise<number> => (await stat(folder)).mode & 0o666;

/** Nothing where there is no file. Throws LIMIT_EXCEEDED for one that is too long, or no plain file: it is left as it is. */
async function readFile(file: string): Promise<Uint8Array> {
  const facts = await lstat(file).catch(() => undefined);
  if (facts !== undefined && (!facts.isFile() || facts.size > assistantLimits.inboxBytesMax)) {
    const message = `${file} is no plain file of at most ${assistantLimits.inboxBytesMax} bytes`;
    throw new PeerAiError('LIMIT_EXCEEDED', message);
  }
  return (await readSmallFile(file, assistantLimits.inboxBytesMax)) ?? new Uint8Array();
}

/** An older program may be writing just now; what stays half a file for a second is put aside and kept. */
async function readWhole(file: string, clock: Clock): Promise<readonly Entry[]> {
  for (let looksAgain = 0; ; looksAgain += 1) {
    const entries = readInbox(await readFile(file));
    if (entries !== undefined) return entries;
    // Right after a look, not after a pause: what became whole in between is not put aside.
    if (looksAgain === assistantLimits.halfFileLooksMax) break;
    await clock.sleep(assistantLimits.halfFileMs);
  }
  await rename(file, `${file}.damaged`);
  return [];
}

/** The envelopes of a file; undefined for half a file. What is no envelope at all is left out. */
export function readInbox(bytes: Uint8Array): readonly Entry[] | undefined {
  try {
    const text = fromUtf8(bytes);
    if (text.trim() === '') return [];
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) ? value.filter(isEntry) : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { from, to } = value as Readonly<Record<string, unknown>>;
  const isFlat = Object.values(value).every((field) => typeof field !== 'object' || field === null);
  return isFlat && typeof from === 'string' && typeof to === 'string';
}
