import type { ServerResponse } from 'node:http';
import type { AccessVerdict } from './access.ts';

/** A refusal in the shape that the asked protocol speaks: OpenAI's, Ollama's, or problem+json. */
export function sendRefusal(
  response: ServerResponse,
  verdict: Extract<AccessVerdict, { allowed: false }>,
  url: string,
  requestId: string,
): void {
  const { status, code, detail, hint } = verdict;
  const problem = { type: `urn:peerai:problem:${code.toLowerCase().replaceAll('_', '-')}`, title: code.toLowerCase().replaceAll('_', ' '), status, code, detail, hint, requestId };
  const text = `${detail}. ${hint}`;
  const body =
    verdict.area !== 'gateway'
      ? problem
      : url.startsWith('/v1')
        ? { error: { message: text, type: status === 401 ? 'invalid_request_error' : 'permission_error', param: null, code } }
        : { error: text, code };
  response
    .writeHead(status, {
      'content-type': verdict.area === 'gateway' ? 'application/json' : 'application/problem+json',
      'x-request-id': requestId,
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="peerai"' } : {}),
    })
    .end(JSON.stringify(body));
}
