import { createServer, type AddressInfo } from 'node:net';
import { createPostPool } from '@peerai/agent/post-pool';
import { createBreaker } from '@peerai/messaging/http';
import { systemClock, systemRandom } from '@peerai/platform';
import { forkProgram } from '../fork.ts';
import { type Bench, interleave, processorSeconds, resultOf } from '../harness.ts';

const rounds = 9;
const requests = 1_000;
/** As many at once as the pool has connections to one peer. */
const atOnce = 10;
const refusals = 200;

/** Letters by HTTP: posts a second over kept connections, against fetch (undici) in this Node; and what a closed door costs with the breaker and without? */
export const pool: Bench = {
  name: 'pool',
  async run({ signal }) {
    await using server = await forkProgram<{ readonly url: string }>(
      new URL('../pool/server.js', import.meta.url),
      signal,
    );
    const { url } = server.ready;
    const body = systemRandom.bytes(512);
    const posts = createPostPool();
    const closedUrl = await closedDoor();
    const breaker = createBreaker(systemClock);
    const knock = (): Promise<unknown> => posts.post({ url: closedUrl, body, signal });
    try {
      const readings = await interleave(
        {
          pool: () => perSecond(requests, () => posts.post({ url, body, signal })),
          fetch: () => perSecond(requests, () => fetched(url, body, signal)),
          fresh: () => perSecond(requests / 5, () => fetched(url, body, signal, { connection: 'close' })),
          open: () => perSecond(refusals, () => breaker.run(knock).catch(() => undefined)),
          knocking: () => perSecond(refusals, () => knock().catch(() => undefined)),
        },
        { rounds, signal },
      );
      const unit = 'posts/s';
      return {
        results: [
          resultOf({
            case: 'kept connections, against fetch',
            unit,
            candidate: readings.pool,
            baseline: readings.fetch,
            goal: 0.9,
          }),
          resultOf({
            case: 'kept connections, against new ones',
            unit,
            candidate: readings.pool,
            baseline: readings.fresh,
          }),
          resultOf({
            case: 'closed door: breaker, against trying',
            unit,
            candidate: readings.open,
            baseline: readings.knocking,
          }),
        ],
        notes: [
          `512 B out, 21 B back, ${atOnce} at once, to a server in a process of its own. A second is a second of this process’s processor time.`,
        ],
      };
    } finally {
      posts.stop();
    }
  },
};

async function fetched(url: string, body: Uint8Array, signal: AbortSignal, headers = {}): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: Buffer.from(body), signal, headers });
  return answer.arrayBuffer();
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  let left = count;
  const lane = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await work();
    }
  };
  const seconds = await processorSeconds(() => Promise.all(Array.from({ length: atOnce }, lane)));
  return count / seconds;
}

/** An address at which nobody listens any more. */
async function closedDoor(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
