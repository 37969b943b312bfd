import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';

/** Serves the built dashboard at `/` and the pages that links open at `/s` and `/t`; false when no file fits. A browser that asks for a route of the dashboard gets its index. */
export async function servePages(
  folder: string,
  { path, asPage }: { readonly path: string; readonly asPage: boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  // With the first page, not with the start: most agents are started and asked by programs.
  const { serveLinkPage, servePageFile } = await import('@peerai/platform/pages');
  const serve = (file: string): Promise<boolean> => servePageFile(request, response, { folder, path: file });
  if (await serveLinkPage(request, response, { folder, path })) return true;
  if (await serve(path)) return true;
  return asPage && extname(path) === '' && serve('/index.html');
}
