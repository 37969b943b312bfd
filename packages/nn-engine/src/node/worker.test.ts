import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect, it } from 'vitest';

import { Graph } from '../graph/index.ts';
import { loadId, type Reply, type WorkerStart } from '../program/messages.ts';

it('says which package is missing where onnxruntime-node cannot be found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'worker-'));
  try {
    const path = join(folder, 'node/worker.ts');
    await cp(new URL('./worker.ts', import.meta.url), path);
    await cp(new URL('../program', import.meta.url), join(folder, 'program'), { recursive: true });
    const graph = new Graph();
    graph.output('y', graph.input('x', [1]));
    const start: WorkerStart = { graph: graph.toModel(), carry: {}, threads: 1 };
    const worker = new Worker(path, { workerData: start });
    const reply = await new Promise<Reply>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(reply).toMatchObject({ id: loadId, code: 'ENGINE_MISSING', details: { package: 'onnxruntime-node' } });
    expect('message' in reply && reply.message).toContain('onnxruntime-node');
    await worker.terminate();
  } finally {
    await rm(folder, { recursive: true });
  }
});
