import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Ports from here on are given to whoever asks for any (Linux: net.ipv4.ip_local_port_range). */
const givenFrom = 32_768;

/**
 * For tests: the first of `span` free ports in a row on 127.0.0.1, among those that a system gives to nobody by itself. Another program would
 * have a given one before it is used, or as soon as it is given up.
 */
export async function freePort(span = 1): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, givenFrom - span);
    const taken = await Promise.all(Array.from({ length: span }, (_, index) => isTaken(port + index)));
    if (!taken.includes(true)) return port;
  }
}

/** Whether a program listens on this TCP port of 127.0.0.1. */
export const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(false)));
  });
