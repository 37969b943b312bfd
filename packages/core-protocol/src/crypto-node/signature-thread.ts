/** One thread of `createSignatureThreads`: says of each batch, in order, whether every signature in it holds. */
import { verify } from 'node:crypto';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { everySignature, type SignatureBatch } from './signature-batch.ts';

if (parentPort === null) throw new TypeError('signatures are checked in a worker');
const port: MessagePort = parentPort;
port.on('message', (batch: SignatureBatch) => {
  port.postMessage(everySignature(batch, (signature, message, key) => verify(null, message, key, signature)));
});
