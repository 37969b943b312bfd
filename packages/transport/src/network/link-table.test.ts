import type { Connection } from '@libp2p/interface';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createLinkTable } from './link-table.ts';

const connection = (at: number): Connection =>
  ({
    id: `${at}`,
    status: 'open',
    direct: true,
    remotePeer: { toString: () => `peer-${at}` },
    remoteAddr: { toString: () => '/ip4/192.0.2.1/tcp/4001' },
  }) as unknown as Connection;

test('`linkChangesMax` changes wait for who watches slowly, the newest ones', async () => {
  const first = async (count: number): Promise<string> => {
    const table = createLinkTable();
    const stop = new AbortController();
    const watching = table.watch(stop.signal)[Symbol.asyncIterator]();
    table.entry(connection(-1));
    // From here on nothing is read.
    expect((await watching.next()).value?.peer).toBe('peer--1');
    for (let at = 0; at < count; at += 1) table.entry(connection(at));
    const { value } = await watching.next();
    stop.abort();
    return value?.peer ?? '';
  };
  expect([await first(limits.linkChangesMax), await first(limits.linkChangesMax + 1)]).toEqual(['peer-0', 'peer-1']);
});
