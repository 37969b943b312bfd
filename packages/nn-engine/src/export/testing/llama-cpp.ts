import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Names the folder of the installed package; it stays outside the workspace, because with its GPU variants it brings 725 MB. */
export const llamaCppVariable = 'PEERAI_NODE_LLAMA_CPP';
export const llamaCppMissing =
  `node-llama-cpp is not measured: it is no dependency (725 MB). \`npm install --ignore-scripts --prefix FOLDER node-llama-cpp@3.22.1\` outside the ` +
  `workspace, then ${llamaCppVariable}=FOLDER/node_modules/node-llama-cpp.`;

/** The little of node-llama-cpp 3.22 that is used here. */
interface Package {
  getLlama(options: {
    readonly build: 'never';
    readonly gpu: false;
    readonly maxThreads: number;
    readonly logLevel: 'error';
  }): Promise<{
    loadModel(options: { readonly modelPath: string; readonly gpuLayers: 0 }): Promise<Model>;
    dispose(): Promise<void>;
  }>;
}
interface Model {
  createContext(options: {
    readonly contextSize: number;
    readonly threads: number;
    readonly flashAttention?: false;
    readonly experimentalKvCacheKeyType?: 'F32';
    readonly experimentalKvCacheValueType?: 'F32';
  }): Promise<{ getSequence(): Sequence }>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: 0; readonly yieldEogToken: true },
  ): AsyncGenerator<number>;
  controlledEvaluate(
    input: readonly (readonly [number, { readonly generateNext: { readonly probabilities: true } }])[],
  ): Promise<readonly ({ readonly next: { readonly probabilities?: ReadonlyMap<number, number> } } | undefined)[]>;
}

/** One GGUF model on llama.cpp, on one thread. */
export interface LlamaCpp extends AsyncDisposable {
  /** Reads the tokens and then writes so many more, the likeliest each time. */
  generate(tokens: readonly number[], count: number): Promise<number>;
  /** For each place the log-probabilities of what follows, by id, nats. */
  logProbabilities(tokens: readonly number[]): Promise<number[][]>;
}

/** The folder that the environment names, if it holds the package. */
export function findLlamaCpp(): string | undefined {
  const folder = process.env[llamaCppVariable];
  return folder !== undefined && folder !== '' && existsSync(join(folder, 'package.json')) ? folder : undefined;
}

/**
 * @param folder - where the GGUF file may be written.
 * @param exact - float32 throughout: as it comes, llama.cpp keeps keys and values in float16, and log-probabilities move by up to 1e-2.
 */
export async function openLlamaCpp(
  location: string,
  folder: string,
  gguf: Uint8Array,
  { contextSize, exact = false }: { readonly contextSize: number; readonly exact?: boolean },
): Promise<LlamaCpp> {
  const modelPath = join(folder, 'model.gguf');
  await writeFile(modelPath, gguf);
  const engine = (await import(pathToFileURL(join(location, 'dist', 'index.js')).href)) as Package;
  const llama = await engine.getLlama({ build: 'never', gpu: false, maxThreads: 1, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const float32 = {
    flashAttention: false,
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
  } as const;
  const sequence = (await model.createContext({ contextSize, threads: 1, ...(exact ? float32 : {}) })).getSequence();
  return {
    async generate(tokens, count) {
      await sequence.clearHistory();
      let written = 0;
      for await (const token of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
        void token;
        written += 1;
        if (written === count) break;
      }
      return written;
    },
    async logProbabilities(tokens) {
      await sequence.clearHistory();
      const asked = tokens.map((token) => [token, { generateNext: { probabilities: true } }] as const);
      const results = await sequence.controlledEvaluate(asked);
      return tokens.map((_, place) => {
        const given = results[place]?.next.probabilities ?? new Map<number, number>();
        return Array.from({ length: given.size }, (__, id) => Math.log(given.get(id) ?? NaN));
      });
    },
    [Symbol.asyncDispose]: async () => await llama.dispose(),
  };
}
