import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { rolldown } from 'rolldown';

export type { Browser, Page } from 'playwright-core';

const systemChromium = '/usr/bin/chromium';
/** Browsers that talk to nobody else. */
const quietArguments = [
  '--no-sandbox',
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-domain-reliability',
  '--no-pings',
];

/**
 * The system's Chromium where there is one, else the one that npm brings. That one's own arguments are left out: they are for a place
 * without processes, and put all sites into one, so that no page is cross-origin isolated and WebAssembly gets no threads.
 */
export async function chromiumPath(): Promise<string> {
  if (existsSync(systemChromium)) return systemChromium;
  return (await import('@sparticuz/chromium')).default.executablePath();
}

/** What gives a browser without a graphics processor an adapter of WebGPU: SwiftShader, which computes on the processor. */
const softwareAdapter = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** @param webGpu - whether pages get an adapter of WebGPU, in software; without it none does. */
export async function openBrowser({ webGpu = false }: { readonly webGpu?: boolean } = {}): Promise<Browser> {
  const args = webGpu
    ? [...quietArguments.filter((one) => one !== '--disable-gpu'), ...softwareAdapter]
    : quietArguments;
  return chromium.launch({ executablePath: await chromiumPath(), args });
}

const ort = (name: string): URL => new URL(name, import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs'));

/** The three files of onnxruntime-web that a page serves to run graphs in wasm. */
export const runtimeFiles: Readonly<Record<string, URL>> = {
  'ort.wasm.min.mjs': ort('ort.wasm.min.mjs'),
  'ort-wasm-simd-threaded.mjs': ort('ort-wasm-simd-threaded.mjs'),
  'ort-wasm-simd-threaded.wasm': ort('ort-wasm-simd-threaded.wasm'),
};

/** The three of its build with WebGPU. */
export const webGpuFiles: Readonly<Record<string, URL>> = {
  'ort.webgpu.min.mjs': ort('ort.webgpu.min.mjs'),
  'ort-wasm-simd-threaded.asyncify.mjs': ort('ort-wasm-simd-threaded.asyncify.mjs'),
  'ort-wasm-simd-threaded.asyncify.wasm': ort('ort-wasm-simd-threaded.asyncify.wasm'),
};

export interface Site extends AsyncDisposable {
  /** Without a slash at its end. `/` loads `/page.js` in a page that is cross-origin isolated, `/plain` in one that is not. */
  readonly url: string;
}

/** Serves modules, each joined from its TypeScript source with all that it imports, and files, by their names below `/`. */
export async function serveSite(
  modules: Readonly<Record<string, URL>>,
  files: Readonly<Record<string, URL>>,
): Promise<Site> {
  const joined = new Map<string, string>(
    await Promise.all(Object.entries(modules).map(async ([name, file]) => [`/${name}`, await join(file)] as const)),
  );
  const apart = new Map<string, URL>(Object.entries(files).map(([name, file]) => [`/${name}`, file]));
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path !== '/plain') {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    const file = apart.get(path);
    const page = path === '/' || path === '/plain' ? '<script type="module" src="/page.js"></script>' : undefined;
    const body = file === undefined ? (page ?? joined.get(path)) : readFile(file);
    if (body === undefined) return void response.writeHead(404).end();
    response.setHeader('content-type', page === undefined ? (types[extname(path)] ?? '') : 'text/html');
    void Promise.resolve(body).then((bytes) => response.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

async function join(file: URL): Promise<string> {
  await using bundle = await rolldown({
    input: file.pathname,
    platform: 'browser',
    resolve: { conditionNames: ['@peerai/source', 'browser', 'import', 'module', 'default'] },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  return output[0].code;
}
