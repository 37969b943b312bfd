import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports that no system gives out by itself: those from 32768 on go to any connection or server that asks for some port, so that an agent which
 * comes back a moment later may find its own taken.
 */
const [first, count] = [20_000, 12_000];
/** Testnets beside each other, each a process, begin at different places. */
const portsEach = 40;

let next = (process.pid * portsEach) % count;

/** A port that is free now on this address, and likely to be so when its agent comes back. Throws when none of them is. */
export async function lastingPort(host: string): Promise<number> {
  for (let tried = 0; tried < count; tried += 1) {
    const port = first + next;
    next = (next + 1) % count;
    if (await isFree(port, host)) return port;
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free on ${host}`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => void server.close(resolve));
  }
}
