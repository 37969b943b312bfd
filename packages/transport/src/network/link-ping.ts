import type { Connection } from '@libp2p/interface';
import type { Clock, Random } from '@peerai/core-protocol';
import { channelClosed } from '../errors.ts';
import { limits } from '../limits.ts';
import { endLink, type LinkEntry, type LinkTable } from './link-table.ts';

const pingProtocol = '/ipfs/ping/1.0.0';
const pingBytes = 32;

/** libp2p's ping over exactly this connection: 32 random bytes there and back. Milliseconds. Throws when it does not answer. */
export async function pingConnection(
  connection: Connection,
  deps: { readonly clock: Clock; readonly random: Random },
  signal: AbortSignal,
): Promise<number> {
  const stream = await connection.newStream(pingProtocol, { signal, runOnLimitedConnection: true });
  const question = deps.random.bytes(pingBytes);
  const answer = Promise.withResolvers<void>();
  // Nobody waits for it yet when `send` throws on a stream that has just gone.
  answer.promise.catch(() => undefined);
  let received = 0;
  stream.addEventListener('message', (event) => {
    received += event.data.byteLength;
    if (received >= pingBytes) answer.resolve();
  });
  const lost = (): void => answer.reject(channelClosed('no answer to a ping'));
  stream.addEventListener('close', lost);
  signal.addEventListener('abort', lost);
  const start = deps.clock.elapsedMs();
  try {
    stream.send(question);
    await answer.promise;
    return Math.max(deps.clock.elapsedMs() - start, 0.001);
  } finally {
    signal.removeEventListener('abort', lost);
    if (stream.status === 'open')
      stream.close({ signal: AbortSignal.timeout(limits.streamCloseMs) }).catch(() => undefined);
  }
}

/** Measures one link; a link that does not answer in time is ended, so that those who wait on it are freed. */
export async function measureLink(
  entry: LinkEntry,
  deps: { readonly clock: Clock; readonly random: Random },
  stopped: AbortSignal,
): Promise<boolean> {
  const [late, over] = [new AbortController(), new AbortController()];
  const signal = AbortSignal.any([late.signal, stopped]);
  void countTicks(deps.clock, limits.linkPingTicks + entry.lateTicks, AbortSignal.any([over.signal, stopped]), () =>
    late.abort(),
  );
  try {
    entry.measured(await pingConnection(entry.connection, deps, signal));
    return true;
  } catch (error) {
    if (!stopped.aborted && entry.connection.status === 'open' && late.signal.aborted) {
      endLink(entry.connection, channelClosed('the link no longer answers', undefined, error));
    }
    return false;
  } finally {
    over.abort();
  }
}

/** Ticks as those of the channels' heartbeat, not clock time: after our own process stood still the sockets are read before a link is given up. */
async function countTicks(clock: Clock, ticks: number, over: AbortSignal, isLate: () => void): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) {
    await clock.sleep(limits.heartbeatTickMs, over).catch(() => undefined);
    if (over.aborted) return;
  }
  isLate();
}

/** Pings every link, each `linkPingEveryMs`. */
export async function keepPinging(
  table: LinkTable,
  deps: { readonly clock: Clock; readonly random: Random },
  stopped: AbortSignal,
  afterEach: () => void,
): Promise<void> {
  while (!stopped.aborted) {
    await deps.clock.sleep(limits.linkPingEveryMs, stopped).catch(() => undefined);
    if (stopped.aborted) return;
    await Promise.all(table.all().map((entry) => measureLink(entry, deps, stopped)));
    afterEach();
  }
}
