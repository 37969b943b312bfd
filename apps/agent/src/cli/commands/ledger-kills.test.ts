import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Of processes, on four logs. The store under them has more: packages/platform/src/node/store/store-kills.test.ts. */
const kills = Number(process.env['PEERAI_CRASH_POINTS'] ?? 100);
const logs = 4;

/**
 * Loads, takes its order, says what it finds, appends until it kills itself; four appends in the air, each with a row beside it. A line for each
 * that was acknowledged: its place and its text.
 */
const program = `
  import { writeSync } from 'node:fs';
  import { text } from 'node:stream/consumers';
  import { createIdentity } from '@peerai/core-protocol';
  import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
  import { openLedger } from '@peerai/ledger';
  import { openStore, systemClock } from '@peerai/platform/node';
  // A pipe that is full for a moment says so.
  function say(line) {
    for (let rest = Buffer.from(line + '\\n'); rest.length > 0;)
      try {
        rest = rest.subarray(writeSync(1, rest));
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
  }
  const { path, round, after, part } = JSON.parse(await text(process.stdin));
  const store = await openStore(path);
  const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(7));
  const ledger = await openLedger({ store: store.room('ledger'), identity, crypto: nodeCrypto, clock: systemClock });
  const seen = store.room('seen');
  const found = { ...(await ledger.verify()), texts: [], beside: [] };
  for await (const { entry } of ledger.entries(0n, ledger.size)) found.texts.push(Buffer.from(entry.body).toString());
  for await (const { key } of seen.range('0', ':')) found.beside.push(key);
  say('found ' + JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
  const kill = () => process.kill(process.pid, 'SIGKILL');
  let [next, said] = [0, 0];
  const startedMs = performance.now();
  async function lane() {
    while (true) {
      const note = String(round).padStart(4, '0') + '-' + next++;
      const place = await ledger.append([{ kind: 'note', body: Buffer.from(note) }], [seen.put(note, new Uint8Array(1))]);
      say(place + ' ' + note);
      said += 1;
      if (said !== after) continue;
      // As soon as it was said: what is not on the disk by then never will be.
      if (part < 0.4) kill();
      // Or later: what was asked for last is on its way by then, and the span is that of about two commits.
      setImmediate(() => {
        const untilMs = performance.now() + ((part - 0.4) ** 2 * 16 * (performance.now() - startedMs)) / said;
        while (performance.now() < untilMs);
        kill();
      });
    }
  }
  if (after > 0) await Promise.all([lane(), lane(), lane(), lane()]);
  else process.exit();`;
const flags = ['--conditions=@peerai/source', '--input-type=module', '--eval', program];

interface Found {
  readonly ok: boolean;
  readonly size: number;
  readonly texts: readonly string[];
  readonly beside: readonly string[];
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-ledger-kills-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Loading, so that one is ready when the one before it is dead. `after` 0: says what it finds, and ends. */
function startWriter() {
  const running = spawn(process.execPath, flags, {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  const ended = once(running, 'close');
  let output = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    async run(order: { path: string; round: number; after: number; part: number }) {
      running.stdin.end(JSON.stringify(order));
      await ended;
      expect(running.signalCode).toBe(order.after > 0 ? 'SIGKILL' : null);
      // What stands behind the last line's end was not said whole.
      const [first = '', ...said] = output.split('\n').slice(0, -1);
      const found = JSON.parse(first.replace(/^found /u, '')) as Found;
      return { found, said: said.map((line) => line.split(' ') as [place: string, text: string]) };
    },
    stop: () => void running.kill('SIGKILL'),
  };
}

/** @returns how many were acknowledged, and how many are in the log whose writer was killed before it could say so. */
async function killMany(path: string, times: number) {
  const acknowledged = new Map<number, string>();
  let unsaid = 0;
  let ahead = startWriter();
  try {
    for (let round = 0; round <= times; round += 1) {
      const writer = ahead;
      if (round < times) ahead = startWriter();
      const after = round < times ? 1 + Math.floor(Math.random() * 24) : 0;
      const { found, said } = await writer.run({ path, round, after, part: Math.random() });
      const { ok, size, texts, beside } = found;
      expect({ ok, size }, `after ${round} kills`).toEqual({ ok: true, size: texts.length });
      const lost = [...acknowledged].filter(([place, text]) => texts[place] !== text);
      expect(lost, `lost after ${round} kills`).toEqual([]);
      // The entry and what was committed beside it, or neither.
      expect(beside.toSorted(), `halved after ${round} kills`).toEqual(texts.toSorted());
      unsaid = texts.length - acknowledged.size;
      for (const [place, text] of said) acknowledged.set(Number(place), text);
    }
  } finally {
    ahead.stop();
  }
  return { acknowledged: acknowledged.size, unsaid };
}

test(
  `kill -9 of ${kills} processes that append: every acknowledged entry is in its place, each with what was beside it, and the log verifies`,
  { timeout: 120_000 + kills * 8_000 },
  async () => {
    const paths = Array.from({ length: logs }, (_, index) => join(folder, `${index}.db`));
    const results: Awaited<ReturnType<typeof killMany>>[] = [];
    const lane = async (): Promise<void> => {
      for (let path = paths.shift(); path !== undefined; path = paths.shift())
        results.push(await killMany(path, Math.ceil(kills / logs)));
    };
    await Promise.all([lane(), lane()]);
    const sum = (of: 'acknowledged' | 'unsaid'): number => results.reduce((all, result) => all + result[of], 0);
    expect(sum('acknowledged')).toBeGreaterThan(kills);
    // Some were killed between the disk and the word that it is there.
    expect(sum('unsaid')).toBeGreaterThan(0);
  },
);
