import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { textFileNames, textFiles } from '@peerai/peer/control';
import { openFile } from './open-file.ts';

/** An ONNX file and what stands beside it. */
export interface ModelFiles {
  readonly model: string;
  /** What it goes by unless said. */
  readonly name: string;
  /** Its `tokenizer.json` with the files around it; undefined where there is none. */
  readonly tokenizer: string | undefined;
}

/**
 * The model that a path means: an ONNX file, or a folder as Optimum (`model.onnx`) and Transformers.js (`onnx/model.onnx`) write it. A folder has to have its tokenizer.
 *
 * Throws USAGE, MODEL_FILE_MISSING, which names the file.
 */
export function findModelFiles(path: string): ModelFiles {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    const folder = dirname(path);
    const tokenizer = [folder, ...(basename(folder) === 'onnx' ? [dirname(folder)] : [])]
      .map((place) => join(place, 'tokenizer.json'))
      .find((file) => existsSync(file));
    return { model: path, name: basename(path).replace(/\.onnx$/iu, ''), tokenizer };
  }
  const tokenizer = join(path, 'tokenizer.json');
  const model = modelIn(path);
  if (!existsSync(tokenizer))
    throw missing('tokenizer.json', path, 'Give the .onnx file alone to use its tensors as they are.');
  return { model, name: basename(join(path, '.')), tokenizer };
}

/** `model.onnx` before others; of several others none is chosen for the user. */
function modelIn(path: string): string {
  const inside = (folder: string): string[] =>
    existsSync(folder) && statSync(folder).isDirectory()
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.onnx'))
          .map((name) => join(folder, name))
      : [];
  const all = [...inside(path), ...inside(join(path, 'onnx'))];
  const named = all.find((file) => basename(file) === 'model.onnx') ?? (all.length === 1 ? all[0] : undefined);
  if (named !== undefined) return named;
  if (all.length === 0)
    throw missing('model.onnx', path, 'Export the model: `optimum-cli export onnx --model <model> <folder>`.');
  const names = all.map((file) => file.slice(path.length).replace(/^[/\\]/u, ''));
  throw new PeerAiError('USAGE', `there are several models in ${path}: give the path of one, ${names.join(', ')}`);
}

/** A tokenizer and the files beside it in one JSON object by their names, read as they are sent. Throws USAGE. */
export async function textFilesAround(tokenizer: string): Promise<Blob> {
  const folder = dirname(tokenizer);
  const files = new Map<string, Blob>();
  for (const name of textFileNames.filter((one) => existsSync(join(folder, one))))
    files.set(name, await openFile(join(folder, name)));
  return textFiles(files.set('tokenizer.json', await openFile(tokenizer)));
}

const missing = (file: string, path: string, hint: string): PeerAiError =>
  new PeerAiError('MODEL_FILE_MISSING', `${file} is missing in ${path}`, { hint });
