import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import send from '@fastify/send';
import { linkPages, pageHeaders } from './page-headers.ts';

/** Names as the build makes them. Whatever is spelled otherwise, encoded too, fits no file. */
const plainPath = /^(?:\/[\w-][\w.-]*)+$/;
const encodings = { br: '.br', gzip: '.gz' } as const;
/** Answers that are about the request and not about a missing file: a condition that failed, a range that is not there. */
const own = new Set([412, 416]);

/**
 * Answers GET or HEAD with one built file, ranges and `If-None-Match` included; with the one compressed beside it (`.br`, `.gz`) where the
 * browser takes that. False, and nothing is said, when there is no such file.
 * @param file.path - `/share.html`, as it came
 */
export async function servePageFile(
  request: IncomingMessage,
  response: ServerResponse,
  { folder, path }: { readonly folder: string; readonly path: string },
): Promise<boolean> {
  if (!plainPath.test(path)) return false;
  const encoding = encodingFor(request, join(folder, path));
  const { statusCode, headers, stream, type } = await send(
    request,
    encoding === undefined ? path : path + encodings[encoding],
    { root: folder, dotfiles: 'ignore', index: false, cacheControl: false, contentType: false },
  );
  if (type !== 'file' && !own.has(statusCode)) {
    stream.destroy();
    return false;
  }
  response.writeHead(statusCode, {
    ...headers,
    ...pageHeaders(path),
    ...(own.has(statusCode) ? {} : { 'content-type': contentType(path) }),
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  });
  // Not pipe: that leaves a file open for each browser that goes away, and throws past us when one vanishes.
  pipeline(stream, response, () => undefined);
  return true;
}

/** The same for the page that a link opens (`/s`, `/t`); false when the path is none of them. */
export async function serveLinkPage(
  request: IncomingMessage,
  response: ServerResponse,
  { folder, path }: { readonly folder: string; readonly path: string },
): Promise<boolean> {
  const short = path.replace(/\/$/, '');
  const file = linkPages.get(short);
  if (file === undefined) return false;
  if (path === short) return servePageFile(request, response, { folder, path: file });
  // The page names its files relative to its short path; what stands behind # stays with the browser.
  response.writeHead(308, { location: short }).end();
  return true;
}

function encodingFor({ headers }: IncomingMessage, file: string): keyof typeof encodings | undefined {
  const accepted = headers['accept-encoding']?.toString() ?? '';
  for (const name of ['br', 'gzip'] as const) {
    const isTaken = new RegExp(`(?:^|[\\s,])${name}(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))(?:[\\s,;]|$)`, 'i').test(
      accepted,
    );
    if (isTaken && existsSync(file + encodings[name])) return name;
  }
  return undefined;
}

function contentType(path: string): string {
  const type = send.mime.getType(path) ?? 'application/octet-stream';
  return send.isUtf8MimeType(type) ? `${type}; charset=utf-8` : type;
}
