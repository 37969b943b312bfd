import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { serveLinkPage, servePageFile } from '@peerai/platform/pages';

/** The built files of the pages that links open; `undefined` when this relay was installed without them. */
export function findPage(candidates: readonly string[]): string | undefined {
  return candidates.find((folder) => existsSync(join(folder, 'share.html')));
}

/** Answers `/s`, `/t` and their assets; false when the path is not one of them. */
export async function servePage(
  folder: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (await serveLinkPage(request, response, { folder, path })) return true;
  return !path.endsWith('.html') && servePageFile(request, response, { folder, path });
}
