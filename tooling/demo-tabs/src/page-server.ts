import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface PageServer {
  readonly url: string;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Builds the page in memory and serves it on 127.0.0.1. @param port - 0 for a free one. */
export async function servePage(port = 0): Promise<PageServer> {
  const files = await builtFiles();
  const server = createServer(({ url = '/' }, response) => {
    const path = url === '/' ? '/index.html' : url;
    const body = files.get(path);
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function builtFiles(): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const output = await build({
    root,
    configFile: false,
    logLevel: 'error',
    base: './',
    resolve: { conditions: ['@peerai/source', 'module', 'browser', 'development|production'] },
    build: { write: false, target: 'es2023', modulePreload: { polyfill: false } },
  });
  const bundles = Array.isArray(output) ? output : 'output' in output ? [output] : [];
  return new Map(
    bundles.flatMap((bundle) =>
      bundle.output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source] as const),
    ),
  );
}
