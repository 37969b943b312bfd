import type { ServerResponse } from 'node:http';
import type { AccessVerdict } from './access.ts';
import { problemBody, sendProblem } from './problem.ts';

/** A refusal in the shape that the asked protocol speaks: OpenAI's, Ollama's, or problem+json. */
export function sendRefusal(
  response: ServerResponse,
  verdict: Extract<AccessVerdict, { allowed: false }>,
  asked: { readonly path: string; readonly requestId: string },
): void {
  const { status, code, detail, hint } = verdict;
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer realm="peerai"' } : {};
  if (verdict.area !== 'gateway') {
    sendProblem(response, { ...problemBody({ code, status, detail, requestId: asked.requestId }), hint }, headers);
    return;
  }
  const text = `${detail}. ${hint}`;
  const type = status === 401 ? 'invalid_request_error' : 'permission_error';
  const body = asked.path.startsWith('/v1')
    ? { error: { message: text, type, param: null, code } }
    : { error: text, code };
  response
    .writeHead(status, { 'content-type': 'application/json', 'x-request-id': asked.requestId, ...headers })
    .end(JSON.stringify(body));
}
