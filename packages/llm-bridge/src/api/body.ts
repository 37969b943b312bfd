import { type Clock, concatBytes, fromUtf8, PeerAiError } from '@peerai/core-protocol';
import type { z } from 'zod';
import { withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { BadRequest } from './failure.ts';

/** A request's JSON, checked; unknown keys stay out. Throws BadRequest: 413 above the limit, 408 when too slow, 400 else. */
export async function readBody<Schema extends z.ZodType>(
  clock: Clock,
  schema: Schema,
  request: Request,
  signal: AbortSignal,
): Promise<z.output<Schema>> {
  const bytes = await withDeadline(clock, limits.apiBodyMs, signal, (within) => readBytes(request, within)).catch(
    (error: unknown) => {
      if (!PeerAiError.is(error, 'TIMEOUT')) throw error;
      throw new BadRequest('the body came too slowly', { status: 408, code: 'timeout' });
    },
  );
  const checked = schema.safeParse(parse(bytes));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const param = issue?.path.join('.') ?? '';
  throw new BadRequest(`${param === '' ? 'the body' : `\`${param}\``}: ${issue?.message ?? 'invalid'}`, { param });
}

async function readBytes(request: Request, signal: AbortSignal): Promise<Uint8Array> {
  const tooLarge = (): BadRequest =>
    new BadRequest(`the body is above ${limits.apiBodyBytesMax} bytes`, { status: 413, code: 'too_large' });
  if (Number(request.headers.get('content-length') ?? 0) > limits.apiBodyBytesMax) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concatBytes(...pieces);
      pieces.push(value);
      length += value.length;
      if (length > limits.apiBodyBytesMax) throw tooLarge();
    }
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    throw new BadRequest('the body is not JSON');
  }
}
