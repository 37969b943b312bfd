import { type CryptoProvider, PeerAiError, type Shelf, toHex, utf8 } from '@peerai/core-protocol';
import { languageModelLayout } from '@peerai/nn-engine';
import { type BaseModel, decodeBase, decodeModelFile, encodeBase } from '@peerai/nn-engine/text';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { baseMissing, type BaseName, type HeldBase } from './adapter-plan.ts';
import { adapted, adapterTask } from './adapter-task.ts';
import { languageSizes } from './language-task.ts';
import { decodePlan } from './plan.ts';
import { places, readWhole, replaceFile, type RunBook, type RunHead } from './run-book.ts';
import type { TrainingPlan } from './training.schema.ts';

export interface BasesDeps {
  readonly crypto: CryptoProvider;
  readonly book: Pick<RunBook, 'runs'>;
  readonly shelf: () => Shelf;
  /** The shipped guide's file. */
  readonly nanoFile?: ((signal: AbortSignal) => Promise<Uint8Array>) | undefined;
  /** What a run ended with. Throws NOT_FOUND, HASH_MISMATCH. */
  readonly weightsOf: (head: RunHead) => Promise<Float32Array>;
  readonly signal: AbortSignal;
  /** Bytes of one; the named limit unless said. */
  readonly bytesMax?: number;
}

/**
 * What adapters are trained on: language models whose weights this peer has. A base is copied below its hash while a run names it, so that an adapter answers
 * also when the run it began with was removed, or the guide is another version.
 */
export interface Bases {
  /** The model of that name, as a base of a run that begins. Throws BASE_MISSING, UNSUPPORTED, LIMIT_EXCEEDED, HASH_MISMATCH. */
  choose(head: RunHead | undefined, name: string): Promise<BaseName>;
  /** The base that a plan names, of which this peer may hold the copy or the model itself. Throws BASE_MISSING. */
  open(base: BaseName): Promise<HeldBase>;
  /** The whole language model that a run ended with. Throws BASE_MISSING, UNSUPPORTED, NOT_FOUND, HASH_MISMATCH. */
  modelOf(head: RunHead): Promise<BaseModel>;
  /** Forgets copies that no run names; not while a run is being prepared, whose base no run names yet. */
  sweep(): Promise<void>;
}

export function createBases(deps: BasesDeps): Bases {
  const { crypto, book, shelf, bytesMax = limits.trainingBaseBytesMax } = deps;
  const planOf = ({ plan }: RunHead): TrainingPlan => decodePlan(utf8(plan));
  const sha256Of = (bytes: Uint8Array): string => toHex(crypto.sha256(bytes));
  const keep = async (bytes: Uint8Array, sha256: string): Promise<void> => {
    await sweep(sha256);
    await replaceFile(shelf(), places.base(sha256), bytes);
  };
  const sweep = async (but?: string): Promise<void> => {
    const named = new Set([but]);
    for (const plan of book.runs().map(planOf)) if (plan.model === 'adapter') named.add(plan.base.sha256);
    for (const name of await shelf().list(places.bases)) if (!named.has(name)) await shelf().remove(places.base(name));
  };
  const kept = async (sha256: string): Promise<Uint8Array | undefined> => {
    try {
      const bytes = await readWhole(shelf(), places.base(sha256), bytesMax);
      // Changed on disk, it is looked for again.
      return sha256Of(bytes) === sha256 ? bytes : undefined;
    } catch (error) {
      if (PeerAiError.is(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  };
  const nano = async (): Promise<BaseModel | undefined> => {
    if (deps.nanoFile === undefined) return undefined;
    const { sizes: all, vocabulary, weights } = decodeModelFile(await deps.nanoFile(deps.signal));
    const { size } = languageModelLayout(all);
    return { sizes: all, vocabulary, weights: weights.subarray(0, size) };
  };
  const modelOf = async (head: RunHead, baseOf: (base: BaseName) => Promise<BaseModel>): Promise<BaseModel> => {
    const plan = planOf(head);
    if (plan.model === 'language')
      return { sizes: languageSizes(plan), vocabulary: null, weights: await deps.weightsOf(head) };
    if (plan.model !== 'adapter')
      throw new PeerAiError('UNSUPPORTED', `${head.name} tells labels apart; it is no language model`);
    const base = await baseOf(plan.base);
    return { ...base, weights: adapted(plan, base, await deps.weightsOf(head)) };
  };
  const decoded = (bytes: Uint8Array | undefined, base: BaseName): HeldBase => {
    const model = bytes && decodeBase(bytes);
    // A plan may name a base of other sizes than it says.
    if (model === undefined || !sameSizes(model.sizes, base.sizes)) throw baseMissing(base);
    return { ...model, learn: (plan, text) => adapterTask(plan, text, model) };
  };
  const openKept = async (base: BaseName): Promise<HeldBase> => decoded(await kept(base.sha256), base);
  /** Whatever here has these bytes as a base: the guide, then runs, the newest first. An adapter whose own base has to be looked for is none. */
  const found = async ({ sha256, sizes }: BaseName): Promise<Uint8Array | undefined> => {
    const fits = (plan: TrainingPlan): boolean =>
      (plan.model === 'language' && sameSizes(languageSizes(plan), sizes)) ||
      (plan.model === 'adapter' && plan.base.sha256 !== sha256 && sameSizes(plan.base.sizes, sizes));
    const heads = book.runs().filter((head) => head.file !== undefined && fits(planOf(head)));
    for (const look of [nano, ...heads.toReversed().map((head) => () => modelOf(head, openKept))]) {
      const model = await look().catch(() => undefined);
      if (model === undefined || !sameSizes(model.sizes, sizes)) continue;
      const bytes = encodeBase(model);
      if (sha256Of(bytes) === sha256) return bytes;
    }
    return undefined;
  };
  const open = async (base: BaseName): Promise<HeldBase> => {
    const copy = await kept(base.sha256);
    const bytes = copy ?? (await found(base));
    const opened = decoded(bytes, base);
    if (copy === undefined && bytes !== undefined) await keep(bytes, base.sha256);
    return opened;
  };
  return {
    open,
    modelOf: (head) => modelOf(head, open),
    sweep: () => sweep(),
    async choose(head, name) {
      const model = head === undefined && name === 'nano' ? await nano() : head && (await modelOf(head, open));
      if (model === undefined) throw unknown(name);
      const bytes = encodeBase(model);
      if (bytes.length > bytesMax) throw new PeerAiError('LIMIT_EXCEEDED', `a base has at most ${bytesMax} bytes`);
      const sha256 = sha256Of(bytes);
      await keep(bytes, sha256);
      return { name: head?.name ?? name, sha256, sizes: decodeBase(bytes).sizes };
    },
  };
}

const sameSizes = (a: BaseName['sizes'], b: BaseName['sizes']): boolean =>
  (['vocabulary', 'width', 'layers', 'heads', 'hidden', 'context'] as const).every((name) => a[name] === b[name]);

const unknown = (name: string): PeerAiError<PeerErrorCode> =>
  new PeerAiError<PeerErrorCode>('BASE_MISSING', `there is no "${name.slice(0, 64)}" here that an adapter can be of`, {
    hint: 'A base is a run over text that is done here, or nano. Imported files and models of other engines do not show their layers.',
  });
