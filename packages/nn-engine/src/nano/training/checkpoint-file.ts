import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import { decodeContainer, encodeContainer } from '../container.ts';
import type { NanoCheckpoint } from './training.ts';

const magic = 'PEERAIC1';
type Header = Omit<NanoCheckpoint, 'state' | 'average'> & { readonly step: number };

/** Writes beside, syncs, then renames: a kill at any moment leaves the old file or the new one. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function saveCheckpoint(path: string, checkpoint: NanoCheckpoint): Promise<void> {
  const { state, average, ...rest } = checkpoint;
  const header: Header = { ...rest, step: state.step };
  const sections = new Map([
    ['weights', bytesOf(state.weights)],
    ['firstMoment', bytesOf(state.firstMoment)],
    ['secondMoment', bytesOf(state.secondMoment)],
    ['average', bytesOf(average)],
  ]);
  await writeDurably(path, encodeContainer(magic, header, sections));
}

/** Undefined when there is none. Throws INVALID_FORMAT when the file is cut or of another kind. */
export async function loadCheckpoint(path: string): Promise<NanoCheckpoint | undefined> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  const { header, sections } = decodeContainer<Header>(magic, file);
  const floats = (name: string): Float32Array =>
    new Float32Array((sections.get(name) ?? new Uint8Array()).buffer as ArrayBuffer);
  const { step, ...rest } = header;
  const state = {
    step,
    weights: floats('weights'),
    firstMoment: floats('firstMoment'),
    secondMoment: floats('secondMoment'),
  };
  return { state, average: floats('average'), ...rest };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
