import type { Protocol } from '../ports/index.ts';
import type { Codec } from '../wire/index.ts';

/** One request kind as data: a protocol of its own, how to write question and answer, how long it may take. */
export interface Method<Request, Response> {
  readonly protocol: Protocol;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  readonly timeoutMs: number;
}
