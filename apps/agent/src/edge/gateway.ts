import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EdgeDeps } from './server.ts';
import { sendWebResponse, toWebRequest } from './web.ts';

/** The AI gateway's answer. Its own errors are already in the asked protocol's shape; what is left is a fault of ours. */
export async function answerGateway(
  { peer, logger }: EdgeDeps,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
): Promise<void> {
  try {
    const web = toWebRequest(request, response, url);
    await sendWebResponse(await peer.gateway.fetch(web), response);
  } catch (error) {
    if (response.destroyed) return;
    logger.error('gateway-failed', { error: error instanceof Error ? error.message : 'unknown' });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response
      .writeHead(500, { 'content-type': 'application/json' })
      .end(
        '{"error":{"message":"something went wrong here; the log says what","type":"server_error","code":"INTERNAL"}}',
      );
  }
}
