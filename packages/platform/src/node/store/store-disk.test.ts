import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Seen } from '../../../test/full-disk.ts';
import type { Told } from '../../../test/refused-writer.ts';
import { isInCheckpoint } from '../../../test/write-ahead-index.ts';
import { openStore } from './open-store.ts';

/** The system's, where it has them. */
const tools = { trace: 'strace', apart: 'unshare', shell: 'sh' } as const;
const programAt = (name: string): string[] => [
  '--conditions=@peerai/source',
  fileURLToPath(new URL(`../../../test/${name}.ts`, import.meta.url)),
];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-disk-'));
  path = join(folder, 'peer.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it(
  'asks the disk to keep every lone commit before it is acknowledged (strace counts)',
  { timeout: 60_000 },
  async ({ skip }) => {
    if (spawnSync(tools.trace, ['-V']).status !== 0) return skip('strace is not installed');
    const trace = join(folder, 'trace');
    const sequential = `
    import { openStore } from ${JSON.stringify(new URL('./open-store.ts', import.meta.url).href)};
    const store = await openStore(process.argv[1]);
    for (let n = 0; n < 40; n += 1) await store.commit([store.put('k' + n, new Uint8Array(10))]);
    process.kill(process.pid, 'SIGKILL');`;
    const options = ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-o', trace, process.execPath];
    spawnSync(
      tools.trace,
      [...options, '--conditions=@peerai/source', '--input-type=module', '--eval', sequential, path],
      {
        timeout: 50_000,
      },
    );
    if (!existsSync(trace)) return skip('strace may not trace here');
    const syncs = readFileSync(trace, 'utf8').match(/f(?:data)?sync\(/gu)?.length ?? 0;
    expect(syncs).toBeGreaterThanOrEqual(40);
    expect(
      (await openStore(path).then(async (store) => [await store.get('k39'), await store.close()]))[0],
    ).toBeDefined();
  },
);

describe('a disk that fails', { timeout: 60_000 }, () => {
  const program = programAt('refused-writer');

  /** What was acknowledged is there; the refused ones may be, in order: that they were not kept for sure is all that was said. */
  async function checkKept({ count }: Told): Promise<void> {
    const store = await openStore(path);
    let found = 0;
    for await (const { key } of store.range('k', 'l')) {
      expect(key).toBe(`k${String(found).padStart(6, '0')}`);
      found += 1;
    }
    await store.close();
    expect(found - count).toBeGreaterThanOrEqual(0);
    expect(found - count).toBeLessThanOrEqual(2);
  }

  async function checkBroken(told: Told): Promise<void> {
    // The second alone, then both again; or both at once.
    expect(told.refusals.length).toBeGreaterThanOrEqual(2);
    expect(new Set(told.refusals)).toEqual(new Set(['STORE_BROKEN']));
    expect(told.count).toBeGreaterThan(2);
    await checkKept(told);
  }

  it('with EIO when it is asked to keep: that commit and all after it are refused, what was acknowledged is there', async ({
    skip,
  }) => {
    if (spawnSync(tools.trace, ['-V']).status !== 0) return skip('strace is not installed');
    // Making the file takes a dozen.
    const which = 'fsync,fdatasync';
    const inject = [
      '-f',
      '-qq',
      '-o',
      join(folder, 'trace'),
      '-e',
      `trace=${which}`,
      '-e',
      `inject=${which}:error=EIO:when=20+`,
    ];
    const { stdout, stderr } = spawnSync(tools.trace, [...inject, process.execPath, ...program, path], {
      encoding: 'utf8',
    });
    if (stdout === '') return skip(`strace may not inject here: ${stderr.slice(0, 80)}`);
    await checkBroken(JSON.parse(stdout) as Told);
  });

  /** A write beyond fails with EFBIG, which to SQLite is a failed disk. Blocks of 512 bytes, or of 1,024 in some shells. */
  function limited(blocks: number, ...args: readonly string[]): Told {
    const shell = `trap '' XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`;
    const { stdout, stderr } = spawnSync(tools.shell, ['-c', shell, process.execPath, ...program, path, ...args], {
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr.slice(0, 1_000));
    return JSON.parse(stdout) as Told;
  }
  const isWithout = process.platform === 'win32';

  it.skipIf(isWithout)('that takes no more bytes of its log: the same', async () => checkBroken(limited(800)));

  it.skipIf(isWithout)(
    'that takes no more bytes of the main file, in a checkpoint: commits go on into the log, until it takes none of those either',
    async () => {
      const told = limited(800, '65536');
      expect(isInCheckpoint(readFileSync(`${path}-shm`))).toBe(true);
      expect(Math.min(statSync(path).size, statSync(`${path}-wal`).size)).toBeGreaterThan(200_000);
      await checkBroken(told);
    },
  );

  it.skipIf(isWithout).each([0, 16, 40, 64, 100])(
    'that takes files of %i blocks: the store opens or is refused, and opens when there is room, with all that was acknowledged',
    async (blocks) => {
      const told = limited(blocks);
      const codes = ['STORE_BROKEN', 'STORE_FULL'];
      if (told.unopened === undefined) expect(told.refusals.length).toBeGreaterThanOrEqual(2);
      else expect(codes).toContain(told.unopened);
      for (const code of told.refusals) expect(codes).toContain(code);
      await checkKept(told);
    },
  );
});

it(
  'keeps everything acknowledged on a disk that is really full, and goes on when there is room',
  { timeout: 60_000 },
  ({ skip }) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    // A namespace of its own needs no root where the system lets users have them; the disk goes with the process.
    const apart = ['--user', '--map-root-user', '--mount', tools.shell, '-c'];
    const mount = 'mount -t tmpfs -o size=1m tmpfs "$0"';
    if (spawnSync(tools.apart, [...apart, mount, disk]).status !== 0) return skip('may not mount a small disk here');
    const { stdout, stderr } = spawnSync(
      tools.apart,
      [...apart, `${mount}; exec "$@"`, disk, process.execPath, ...programAt('full-disk'), disk],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const seen = JSON.parse(stdout) as Seen;
    expect(seen).toMatchObject({ refused: 'STORE_FULL', lost: [] });
    expect(seen.acknowledged).toBeGreaterThan(10);
  },
);
