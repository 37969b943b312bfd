import { open, rename, rm, stat } from 'node:fs/promises';
import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, ExportFormat } from '@peerai/peer/control';
import { command } from '../command.ts';
import { sizeText } from '../open-file.ts';
import type { Output } from '../output.ts';
import { byteProgress } from '../progress-bar.ts';

const formats: readonly ExportFormat[] = ['onnx', 'gguf', 'gguf-q8', 'tokenizer'];

/** A model's weights as a file; an interruption leaves none. */
export const exportModel = command(
  'export',
  'Save a trained, imported or built-in model as a file for other programs',
  {
    model: { type: 'positional', required: true, description: 'Its name, or that of the run that trained it' },
    format: {
      type: 'string',
      valueHint: 'onnx|gguf|gguf-q8|tokenizer',
      description:
        'For any ONNX tool, for llama.cpp and Ollama (whole or in eight bits), or the tokenizer.json of a language model; onnx',
    },
    out: { type: 'string', valueHint: 'FILE', required: true, description: 'Where to' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const format = formats.find((one) => one === (args.format ?? 'onnx'));
    if (format === undefined) throw new PeerAiError('USAGE', `--format is ${formats.join(', ')}, not "${args.format}"`);
    if (args.yes !== true && (await exists(args.out)))
      throw new PeerAiError('USAGE', `${args.out} is there already`, { hint: 'Name another file, or say -y.' });
    const bytes = await saveModel(
      (await agent()).client,
      { model: args.model, format, path: args.out },
      output,
      signal,
    );
    output.data({ model: args.model, format, file: args.out, bytes }, () => `Saved ${args.out}, ${sizeText(bytes)}.`);
  },
);

interface Wanted {
  readonly model: string;
  readonly format: ExportFormat;
  readonly path: string;
}

/** Takes the place of what is there only when it is whole. */
export async function saveModel(
  client: Pick<ControlClient, 'exportModel'>,
  { model, format, path }: Wanted,
  output: Pick<Output, 'progress'>,
  signal: AbortSignal,
): Promise<number> {
  const { bytes, content } = await client.exportModel(model, format, signal);
  const part = `${path}.part`;
  const file = await created(part);
  const progress = byteProgress(output, path, bytes);
  let written = 0;
  try {
    for await (const piece of content) {
      await file.write(piece);
      written += piece.length;
      progress(written);
    }
    if (written !== bytes) throw new PeerAiError('CHANNEL_CLOSED', `it broke off after ${written} of ${bytes} bytes`);
    await file.sync();
    await file.close();
    await rename(part, path);
  } catch (error) {
    await file.close();
    await rm(part, { force: true });
    throw error;
  } finally {
    output.progress('');
  }
  return written;
}

async function created(path: string) {
  try {
    return await open(path, 'w');
  } catch (cause) {
    throw new PeerAiError('USAGE', `this file cannot be written: ${(cause as Error).message}`, {}, { cause });
  }
}

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
