import { nobleCrypto, serveMethod, utf8 } from '@peerai/core-protocol';
import { type ManualClock, memoryWorld, type MemoryWorld } from '@peerai/core-protocol/testing';
import { openLedger } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { booksLimits as limits } from './limits.ts';
import { openLogGuard } from './log-guard.ts';
import { logMethod, plainLogAnswer } from './log-protocol.ts';
import { createLogs, type LogsDeps } from './logs.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const entry = { kind: 'note', body: utf8('x') };

/** A peer with a log of one entry that knows a device from before; what it needs for a hello, and no more. */
async function homecomer() {
  const stopping = new AbortController();
  const world = memoryWorld({ seed: 1, crypto: nobleCrypto });
  const device = memoryWorld({
    seed: 2,
    crypto: nobleCrypto,
    clock: world.clock,
    networks: world.networks,
    isGranted: () => true,
  });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  await ledger.append([entry]);
  const guard = await openLogGuard({ ...world, ledger });
  const known = { peer: device.identity.peer, blocked: false };
  const logs = createLogs({
    ...world,
    accounts: { ledger, ledgerStore: world.store.room('ledger'), guard, books: {} },
    devices: { list: () => [known], get: () => known },
    stopping: stopping.signal,
  } as unknown as LogsDeps);
  await logs.start();
  return { clock: world.clock, device, ledger, logs, stopping };
}
/** The same peer’s log, when it was longer. */
async function longerNote(clock: ManualClock): Promise<string> {
  const world: MemoryWorld = memoryWorld({ seed: 1, crypto: nobleCrypto, clock });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  await ledger.append([entry, entry, entry]);
  return (await ledger.checkpoint()).note;
}

test('what is appended at the first hello of a device from before waits for what it has of our log', async () => {
  const { clock, device, ledger, logs, stopping } = await homecomer();
  const notes = [await longerNote(clock)];
  serveMethod(device.network, logMethod, async () => ({ ...plainLogAnswer, notes }), { clock });
  logs.met(device.identity.peer);
  await expect(clock.until(ledger.append([entry]))).rejects.toThrow(code('LEDGER_BEHIND'));
  expect(ledger.size).toBe(1n);
  stopping.abort();
});

test('a device that is silent is waited for no longer than the limit', async () => {
  const { clock, device, ledger, logs, stopping } = await homecomer();
  serveMethod(device.network, logMethod, () => new Promise(() => undefined), { clock });
  logs.met(device.identity.peer);
  let place: bigint | undefined;
  void ledger.append([entry]).then((at) => (place = at));
  await clock.advance(limits.lookMs - 1);
  expect(place).toBeUndefined();
  await clock.advance(1);
  expect(place).toBe(1n);
  stopping.abort();
});
