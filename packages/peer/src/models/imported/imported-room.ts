import {
  type Clock,
  equalBytes,
  fromHex,
  type LoadOptions,
  PeerAiError,
  type Prompt,
  type Random,
  reasonOf,
  type Sampling,
  type Shelf,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { modelLimits } from '../limits.ts';
import { records } from '../../store/records.ts';
import type { ImportedModelView, ModelRunView } from '../imported.schema.ts';
import { createHeldProgram } from './held-program.ts';
import { fileOf, tokenizerOf } from './places.ts';
import type { ModelRunner, Writer, WriterFinish } from './runner.ts';
import { readInputs, writeOutputs } from './tensors.ts';

export interface RoomDeps {
  /** Its own room. */
  readonly store: Store;
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly random: Random;
  readonly runner: ModelRunner;
  /** An engine has a model of this name. */
  readonly isTaken: (name: string) => boolean;
  readonly changed: () => void;
}
export type ImportedRoom = Awaited<ReturnType<typeof openImportedRoom>>;
type Row = Omit<ImportedModelView, 'loaded'>;

/** One answer that is wanted. */
export interface Wish {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly heard: (text: string) => void;
}
const firstWish: Wish = {
  prompt: { messages: [{ role: 'user', text: 'a text' }] },
  sampling: { maxTokens: 1, temperature: 0 },
  heard: () => undefined,
};

/** What a language model lacks that was imported by its ONNX file alone. */
export const withoutTokenizer = (name: string): PeerAiError =>
  new PeerAiError('MODEL_FILE_MISSING', `${name} was imported without its tokenizer.json, so it takes no text`, {
    hint: '`peerai models import <folder>` takes the files beside it too.',
  });

const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}._:-]*$/u;
const filesOf = ({ sha256, embedding, language }: Row): readonly string[] => [
  fileOf(sha256),
  ...[embedding, language].flatMap((one) => (one === undefined ? [] : [tokenizerOf(one.tokenizer)])),
];
const incoming = 'models/incoming';

/** Model files by their hash, and the names they go by. Throws what the store throws. */
export async function openImportedRoom(deps: RoomDeps) {
  const { store, shelf, clock, random, runner } = deps;
  const kept = records<Row>(store, 'model');
  const rows = new Map<string, Row>();
  for await (const [name, row] of kept.all()) rows.set(name, row);
  await sweep(shelf, new Set([...rows.values()].flatMap(filesOf)));
  const held = createHeldProgram(clock);
  const stopping = new AbortController();
  /** Ends the runs of one file, when it goes. */
  const endings = new Map<string, AbortController>();
  let finishing: Promise<unknown> = Promise.resolve();
  const oneByOne = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = finishing.then(work);
    finishing = mine.catch(() => undefined);
    return await mine;
  };
  const view = (row: Row): ImportedModelView => ({ ...row, loaded: held.loaded()?.startsWith(row.sha256) === true });
  const get = (name: string): Row => {
    const row = rows.get(name);
    if (row !== undefined) return row;
    const hint = '`peerai models import <file.onnx>` brings one here; `peerai models ls` lists them.';
    throw new PeerAiError('MODEL_UNKNOWN', `no model "${name.slice(0, 100)}" was imported`, { hint });
  };
  const read = async (file: string, sha256: string, bytesMax: number): Promise<Uint8Array> => {
    if (!equalBytes(await shelf.sha256(file), fromHex(sha256)))
      throw new PeerAiError('HASH_MISMATCH', 'a file of this model was changed on disk; import it again', { sha256 });
    return shelf.read(file, 0, bytesMax);
  };
  const load = async ({ sha256, bytes }: Row, signal: AbortSignal) =>
    runner.load(await read(fileOf(sha256), sha256, bytes), { signal });
  const within = ({ sha256 }: Row, signal: AbortSignal): AbortSignal => {
    const ending = endings.get(sha256) ?? new AbortController();
    endings.set(sha256, ending);
    return AbortSignal.any([signal, stopping.signal, ending.signal]);
  };
  /** @param tokenizer - SHA-256 of a file that lies here, with what lay beside it. */
  const withTexts = async <Kind extends AsyncDisposable, T>(
    { sha256, bytes }: Row,
    tokenizer: string,
    load: (graph: Uint8Array, files: Uint8Array, options: LoadOptions) => Promise<Kind>,
    work: (program: Kind) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const loaded = async (): Promise<Kind> => {
      const files = await read(tokenizerOf(tokenizer), tokenizer, modelLimits.tokenizerBytesMax);
      return await load(await read(fileOf(sha256), sha256, bytes), files, { signal });
    };
    return await held.use(`${sha256} ${tokenizer}`, loaded, work, signal);
  };
  const embed = async (row: Row, tokenizer: string, texts: readonly string[], asked: AbortSignal) => {
    const signal = within(row, asked);
    return withTexts(
      row,
      tokenizer,
      (...it) => runner.loadEmbedder(...it),
      (embedder) => embedder.embed(texts, signal),
      signal,
    );
  };
  const write = async (row: Row, tokenizer: string, { prompt, sampling, heard }: Wish, asked: AbortSignal) => {
    const signal = within(row, asked);
    const seed = sampling.seed ?? new DataView(random.bytes(4).buffer).getInt32(0);
    const work = async (writer: Writer) => ({
      facts: writer.facts,
      finish: await writer.write(prompt, { ...sampling, seed }, heard, signal),
    });
    const answer = await withTexts(row, tokenizer, (...it) => runner.loadWriter(...it), work, signal);
    if (answer.finish.reason === 'cancelled') throw reasonOf(signal);
    return answer;
  };
  /** What it is with this tokenizer: it has done its work once. */
  const tried = async (row: Row, tokenizer: string, signal: AbortSignal): Promise<Row> => {
    const { embedding: _, language: __, ...rest } = row;
    if (row.texts !== 'language') {
      const [vector] = await embed(row, tokenizer, ['a text'], signal);
      return { ...rest, embedding: { tokenizer, dimensions: vector?.length ?? 0 } };
    }
    const { contextTokens, hasTemplate } = (await write(row, tokenizer, firstWish, signal)).facts;
    return { ...rest, language: { tokenizer, contextTokens, hasTemplate } };
  };
  const keepTokenizer = async (name: string, place: string, signal: AbortSignal): Promise<ImportedModelView> => {
    const row = get(name);
    const tokenizer = toHex(await shelf.sha256(place));
    if ((row.embedding ?? row.language)?.tokenizer === tokenizer) return view(row);
    const file = tokenizerOf(tokenizer);
    await shelf.move(place, file);
    try {
      const next = await tried(row, tokenizer, signal);
      await store.commit([kept.put(name, next)]);
      rows.set(name, next);
    } finally {
      await tidy([file, ...filesOf(row)]);
    }
    deps.changed();
    return view(get(name));
  };
  /** Removes those of these files that no model needs. */
  const tidy = async (files: readonly string[]): Promise<void> => {
    const needed = new Set([...rows.values()].flatMap(filesOf));
    for (const file of files) if (!needed.has(file)) await shelf.remove(file);
  };
  const keep = async (name: string, place: string, size: number): Promise<ImportedModelView> => {
    const facts = await runner.read(await shelf.read(place, 0, size));
    const sha256 = toHex(await shelf.sha256(place));
    const before = rows.get(name);
    if (before?.sha256 === sha256) return view(before);
    if (before !== undefined || deps.isTaken(name)) {
      const hint = 'Give another --name, or remove that one first: `peerai models rm <model>`.';
      throw new PeerAiError('MODEL_EXISTS', `there is a model "${name}" already`, { hint });
    }
    const all = new Map([...rows.values()].map((row) => [row.sha256, row.bytes]));
    const total = [...all.set(sha256, size).values()].reduce((sum, bytes) => sum + bytes, 0);
    if (rows.size >= modelLimits.importedModelsMax || total > modelLimits.importedBytesMax) {
      const hint = '`peerai models rm <model>` makes room.';
      throw new PeerAiError('LIMIT_EXCEEDED', 'there is no room for another imported model', { total, hint });
    }
    const row = { name, sha256, bytes: size, importedMs: clock.nowMs(), ...facts };
    await shelf.move(place, fileOf(sha256));
    await store.commit([kept.put(name, row)]);
    rows.set(name, row);
    deps.changed();
    return view(row);
  };
  return {
    list: () => [...rows.values()].map(view).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name: string) => view(get(name)),
    async add(name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ImportedModelView> {
      if (!namePattern.test(name) || name.length > modelLimits.importedNameCharsMax) {
        const hint = 'Letters, digits and . _ : - are taken, a letter or digit first.';
        throw new PeerAiError(
          'INVALID_FORMAT',
          `this is no name for a model; at most ${modelLimits.importedNameCharsMax} characters`,
          { hint },
        );
      }
      const place = `${incoming}/${toHex(random.bytes(8))}`;
      try {
        const size = await receive(shelf, place, { bytes, signal, bytesMax: modelLimits.importedFileBytesMax });
        return await oneByOne(() => keep(name, place, size));
      } finally {
        await shelf.remove(place);
      }
    },
    /** Makes an embedding or a language model of it, once it has made a vector or a token. The earlier tokenizer goes. */
    async addTokenizer(
      name: string,
      bytes: AsyncIterable<Uint8Array>,
      signal: AbortSignal,
    ): Promise<ImportedModelView> {
      get(name);
      const place = `${incoming}/${toHex(random.bytes(8))}`;
      try {
        await receive(shelf, place, { bytes, signal, bytesMax: modelLimits.tokenizerBytesMax });
        return await oneByOne(() => keepTokenizer(name, place, signal));
      } finally {
        await shelf.remove(place);
      }
    },
    /** Throws MODEL_UNKNOWN, UNSUPPORTED without a tokenizer. */
    async embed(name: string, texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
      const row = get(name);
      if (row.embedding === undefined)
        throw new PeerAiError('UNSUPPORTED', `${name} has no tokenizer, so it takes no text`);
      return embed(row, row.embedding.tokenizer, texts, signal);
    },
    /** Throws MODEL_UNKNOWN, MODEL_FILE_MISSING without a tokenizer, and what the writer throws. */
    async write(name: string, wish: Wish, signal: AbortSignal): Promise<WriterFinish> {
      const row = get(name);
      if (row.language === undefined) throw withoutTokenizer(name);
      return (await write(row, row.language.tokenizer, wish, signal)).finish;
    },
    /** The file goes with the last name it has. */
    remove: (name: string): Promise<void> =>
      oneByOne(async () => {
        const row = get(name);
        const { sha256 } = row;
        await store.commit([kept.remove(name)]);
        rows.delete(name);
        deps.changed();
        if ([...rows.values()].some((one) => one.sha256 === sha256)) return tidy(filesOf(row));
        endings.get(sha256)?.abort(new PeerAiError('MODEL_UNKNOWN', 'this model was removed'));
        endings.delete(sha256);
        await held.drop(sha256);
        await tidy(filesOf(row));
      }),
    async run(name: string, inputs: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ModelRunView> {
      const row = get(name);
      const feeds = readInputs(row.inputs, inputs);
      const startMs = clock.elapsedMs();
      const until = within(row, signal);
      const outputs = await held.use(
        row.sha256,
        () => load(row, until),
        (program) => program.run(feeds, until),
        until,
      );
      return { v: 1, model: name, outputs: writeOutputs(outputs), tookMs: Math.round(clock.elapsedMs() - startMs) };
    },
    stop(): Promise<void> {
      stopping.abort();
      return held.drop();
    },
  };
}

/** In pieces, so that a large file is not in memory while it comes. Throws MODEL_TOO_LARGE, STORE_FULL, ABORTED. */
async function receive(
  shelf: Shelf,
  place: string,
  { bytes, signal, bytesMax }: { bytes: AsyncIterable<Uint8Array>; signal: AbortSignal; bytesMax: number },
): Promise<number> {
  let parts: Uint8Array[] = [];
  let [waiting, written] = [0, 0];
  const flush = async (): Promise<void> => {
    const piece = new Uint8Array(waiting);
    let at = 0;
    for (const part of parts) {
      piece.set(part, at);
      at += part.length;
    }
    [parts, waiting] = [[], 0];
    await shelf.write(place, written, piece);
    written += piece.length;
  };
  for await (const part of bytes) {
    if (signal.aborted) throw new PeerAiError('ABORTED', 'the import was cancelled');
    parts.push(part);
    waiting += part.length;
    if (written + waiting > bytesMax) {
      throw new PeerAiError('MODEL_TOO_LARGE', `the file has more than ${bytesMax} bytes`, { bytesMax });
    }
    if (waiting >= modelLimits.importedPieceBytes) await flush();
  }
  if (signal.aborted) throw new PeerAiError('ABORTED', 'the import was cancelled');
  await flush();
  return written;
}

/** What a crash left: files that came half, and files without a name. */
async function sweep(shelf: Shelf, wanted: ReadonlySet<string>): Promise<void> {
  const halves = (await shelf.list(incoming)).map((name) => `${incoming}/${name}`);
  const others = (await shelf.list('models')).map((name) => `models/${name}`).filter((name) => !wanted.has(name));
  for (const name of [...halves, ...others]) await shelf.remove(name);
}
