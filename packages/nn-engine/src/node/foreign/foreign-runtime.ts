import type { Runtime } from '@peerai/core-protocol';

import { throwIfAborted } from '../../abort.ts';
import { started, startOf } from './foreign-program.ts';
import { readOnnxSummary } from './onnx-summary.ts';

/**
 * ONNX Runtime for files of the user's: each program is a process of its own (see `confine.ts`), looked at before it starts (`readOnnxSummary`).
 *
 * `memoryBytesMax` is the resident memory of the whole process, 2 GiB unless said; `runMsMax` the time of one run, a minute unless said; loading has a
 * minute too. Over a limit, or aborted while it runs, the process is killed, its folder removed, and the program is over. It guards against a model that
 * takes too much, not against one that finds a fault in ONNX Runtime to run code of its own.
 *
 * `load` throws what `readOnnxSummary` throws, MODEL_REFUSED, MODEL_MEMORY_EXCEEDED, RUN_LIMIT, ENGINE_MISSING, INVALID_OPTION.
 */
export function createForeignRuntime(): Runtime {
  return {
    async load(graph, options) {
      throwIfAborted(options.signal);
      readOnnxSummary(graph);
      return await started(startOf(graph, options), options);
    },
  };
}
