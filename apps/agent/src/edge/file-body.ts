import { PeerAiError } from '@peerai/core-protocol';
import type { FastifyRequest } from 'fastify';

/** A body that is a file, to be read as it comes. Throws INVALID_FORMAT. */
export function fileBody({ body, headers }: FastifyRequest): AsyncIterable<Uint8Array> {
  if (headers['content-type'] === 'application/octet-stream' && body !== undefined)
    return body as AsyncIterable<Uint8Array>;
  throw new PeerAiError('INVALID_FORMAT', 'the body is the file, as application/octet-stream');
}
