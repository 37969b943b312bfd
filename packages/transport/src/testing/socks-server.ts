import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A SOCKS5 proxy (RFC 1928, no authentication, CONNECT only) that writes down what it is asked for. */
export interface SocksServer {
  readonly host: string;
  readonly port: number;
  /** `name:port` or `ip:port`, as each was asked for; names are marked by `name ` in front. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** @param places - where a name leads, as a port of 127.0.0.1; other names are not there. Addresses are dialled as they are. */
export async function createSocksServer(places: Readonly<Record<string, number>> = {}): Promise<SocksServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    near.once('data', () => {
      near.write(Uint8Array.of(5, 0));
      near.once('data', (request: Uint8Array) => {
        const { host, port, isName } = readRequest(request);
        asked.push(`${isName ? 'name ' : ''}${host}:${port}`);
        const target = isName ? places[host] : port;
        if (target === undefined) return void near.end(reply(hostUnreachable));
        const far = connect(target, isName ? '127.0.0.1' : host);
        keep(far);
        far.once('error', () => near.end(reply(hostUnreachable)));
        far.once('connect', () => {
          near.write(reply(0));
          far.pipe(near);
          near.pipe(far);
        });
      });
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    asked,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

const hostUnreachable = 4;
const reply = (code: number): Uint8Array => Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);

function readRequest(bytes: Uint8Array): { readonly host: string; readonly port: number; readonly isName: boolean } {
  const kind = bytes[3];
  const length = kind === 3 ? (bytes[4] ?? 0) : kind === 4 ? 16 : 4;
  const start = kind === 3 ? 5 : 4;
  const raw = bytes.subarray(start, start + length);
  const port = new DataView(bytes.buffer, bytes.byteOffset).getUint16(start + length);
  if (kind === 3) return { host: new TextDecoder().decode(raw), port, isName: true };
  return { host: raw.join(kind === 4 ? ':' : '.'), port, isName: false };
}
