import type { ServerResponse } from 'node:http';
import { PeerAiError } from '@peerai/core-protocol';
import { hintFor, type Problem } from '@peerai/peer';
import { statusOf } from './statuses.ts';

/** Any failure as RFC 9457 problem+json. What is not ours becomes INTERNAL without its text. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (!PeerAiError.is(error)) {
    const detail = 'something went wrong here; the log has the request id';
    return problemBody({ code: 'INTERNAL', status: 500, detail, requestId });
  }
  const { hint: own, retryAfterMs, status } = error.details;
  const hint = typeof own === 'string' ? own : hintFor(error.code);
  const known = typeof status === 'number' ? status : statusOf(error.code);
  return {
    ...problemBody({ code: error.code, status: known, detail: error.message, requestId }),
    ...(hint === undefined ? {} : { hint }),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

export function problemBody(parts: {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
}): Problem {
  const words = parts.code.toLowerCase();
  return { type: `urn:peerai:problem:${words.replaceAll('_', '-')}`, title: words.replaceAll('_', ' '), ...parts };
}

/** Writes a problem past the framework, for requests that never reach a controller. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(problem.status, {
      'content-type': 'application/problem+json',
      'x-request-id': problem.requestId,
      'cache-control': 'no-store',
      ...headers,
    })
    .end(JSON.stringify(problem));
}
