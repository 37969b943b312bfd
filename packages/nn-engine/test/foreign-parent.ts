/** A process that runs a model which never returns, to be killed by the test. */
import { createForeignRuntime } from '../src/node/foreign/foreign-runtime.ts';
import { encode, endless } from '../src/node/foreign/testing/hand-made.ts';

const { signal } = new AbortController();
const program = await createForeignRuntime().load(encode(endless()), { signal });
void program.run({ x: { type: 'float32', shape: [1], data: Float32Array.of(1) } }, signal);
setImmediate(() => process.send?.('running'));
