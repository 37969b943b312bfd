import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { servePageFile } from '@peerai/platform/pages';

/** The built files of the guest's page; `undefined` when this relay was installed without them. */
export function findPage(candidates: readonly string[]): string | undefined {
  return candidates.find((folder) => existsSync(join(folder, 'share.html')));
}

/** Answers `/s` and its assets; false when the path is not one of them. */
export async function servePage(
  folder: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (path === '/s/') {
    // The page names its files relative to /s; what stands behind # stays with the browser.
    response.writeHead(308, { location: '/s' }).end();
    return true;
  }
  if (path.endsWith('.html')) return false;
  return servePageFile(request, response, { folder, path: path === '/s' ? '/share.html' : path });
}
