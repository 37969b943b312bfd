import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  readonly url: string;
  target(port: number): void;
  ask(
    method: string,
    path: string,
    ca: string,
    body?: string | Uint8Array,
  ): Promise<{ readonly status: number; readonly body: string }>;
  stop(): void;
}
/** A reverse proxy: HTTPS before one port of this machine, whatever is asked. */
export async function startProxy(key: string, cert: string): Promise<Proxy> {
  let port = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (asked, reply) => {
    const { method, url: path, headers } = asked;
    const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answered) => {
      reply.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(reply);
    });
    onward.on('error', () => reply.writeHead(502).end());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    target: (to) => (port = to),
    ask: async (method, path, ca, body) => {
      return new Promise((resolve, reject) => {
        const asking = secureRequest(`${url}${path}`, { method, ca: readFileSync(ca), agent: false }, (answered) => {
          let text = '';
          answered.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          answered.on('end', () => resolve({ status: answered.statusCode ?? 0, body: text }));
        });
        asking.on('error', reject);
        asking.end(body);
      });
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
