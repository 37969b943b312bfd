import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';

/** Serves the built dashboard at `/` and the guest's page at `/s`; false when no file fits. A browser that asks for a route of the dashboard gets its index. */
export async function servePages(
  folder: string,
  { path, asPage }: { readonly path: string; readonly asPage: boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (path === '/s/') {
    // The page names its files relative to /s; what stands behind # stays with the browser.
    response.writeHead(308, { location: '/s' }).end();
    return true;
  }
  // With the first page, not with the start: most agents are started and asked by programs.
  const { servePageFile } = await import('@peerai/platform/pages');
  const serve = (file: string): Promise<boolean> => servePageFile(request, response, { folder, path: file });
  if (path === '/s') return serve('/share.html');
  if (await serve(path)) return true;
  return asPage && extname(path) === '' && serve('/index.html');
}
