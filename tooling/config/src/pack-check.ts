import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Every package, packed as it would be published, installed alone into an empty project, and used: what a stranger does first.
 * Also publint and attw over each tarball. Prints a line a package; exits 1 with the first failure's words.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const bin = join(root, 'tooling/config/node_modules/.bin');

/** A first use of each package, in plain JavaScript. */
const uses: Readonly<Record<string, string>> = {
  'core-protocol': `import { createIdentity, nobleCrypto, utf8 } from '@peerai/core-protocol';
import { parseLink } from '@peerai/core-protocol/access';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
const identity = createIdentity(nobleCrypto, new Uint8Array(32).fill(7));
ok(nodeCrypto.ed25519.verify(identity.sign(utf8('hi')), utf8('hi'), identity.publicKey));
ok(typeof parseLink === 'function');`,
  transport: `import { createBrowserNode } from '@peerai/transport';
import { createAgentNode } from '@peerai/transport/node';
ok(typeof createBrowserNode === 'function' && typeof createAgentNode === 'function');`,
  messaging: `import { createMessenger } from '@peerai/messaging';
ok(typeof createMessenger === 'function');`,
  platform: `import { systemClock, systemRandom } from '@peerai/platform';
import { openStore } from '@peerai/platform/node';
import { servePageFile } from '@peerai/platform/pages';
ok(typeof servePageFile === 'function');
const store = await openStore('./alone.db');
await store.commit([store.put('a', systemRandom.bytes(3))]);
ok((await store.get('a')).length === 3 && systemClock.nowMs() > 0);
await store.close();`,
  'llm-bridge': `import { scriptedEngine } from '@peerai/llm-bridge';
import { systemClockLike } from './clock.mjs';
const [echo] = await scriptedEngine({ clock: systemClockLike }).list(new AbortController().signal);
let text = '';
for await (const part of echo.generate({ messages: [{ role: 'user', text: 'hi' }] }, { maxTokens: 9 }, new AbortController().signal)) text += part.text ?? '';
ok(text === 'echo: hi');`,
  'nn-engine': `import { lexicalHash } from '@peerai/nn-engine';
import { createCluster } from '@peerai/nn-engine/cluster';
import { byteTokens } from '@peerai/nn-engine/export';
import { lexicalEmbedder } from '@peerai/nn-engine/memory';
import { createStateTracker } from '@peerai/nn-engine/metrics';
import { privacyLoss } from '@peerai/nn-engine/privacy';
import { packDelta } from '@peerai/nn-engine/rounds';
import { splitModel } from '@peerai/nn-engine/split';
ok(lexicalHash('hello').length === 384 && byteTokens().length > 255 && lexicalEmbedder.kind === 'lexical');
ok(createCluster({ nodes: 4, inputs: 2, seed: 1 }).process([1, 0]).length === 4);
ok(createStateTracker().observe({}).phi === undefined);
ok([packDelta, privacyLoss, splitModel].every((each) => typeof each === 'function'));`,
  ledger: `import { nobleCrypto } from '@peerai/core-protocol';
import { leafHash } from '@peerai/ledger';
import { leasePrice } from '@peerai/ledger/lease';
import { tilePath } from '@peerai/ledger/sync';
import { witnessLimits } from '@peerai/ledger/witness';
ok(tilePath(0, 0n, 256) === 'tile/0/000' && witnessLimits.cosignaturesMax === 15);
ok(leafHash(nobleCrypto, new Uint8Array(3)).length === 32 && leasePrice(60n, 1, 1) === 1n);`,
  peer: `import { createPeer } from '@peerai/peer';
import { createControlClient } from '@peerai/peer/control';
import { createGuest } from '@peerai/peer/guest';
ok(typeof createPeer === 'function' && typeof createControlClient === 'function' && typeof createGuest === 'function');`,
};
const clock = `export const systemClockLike = {
  nowMs: Date.now, elapsedMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  deadline: (ms, parent) => AbortSignal.any([AbortSignal.timeout(ms), ...(parent ? [parent] : [])]),
};`;

const work = mkdtempSync(join(tmpdir(), 'peerai-pack-'));
const run = (program: string, args: readonly string[], cwd: string): string => {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} in ${cwd}\n${stdout}${stderr}`, { cause: error });
  }
};

/** Exports that are data, not modules: attw would look for their types. */
const data = ['assets/nano.bin'];

try {
  const names = readdirSync(join(root, 'packages'));
  const tarballs = new Map(names.map((name) => [`@peerai/${name}`, pack(name)]));
  for (const name of names) checkAlone(name, tarballs);
  process.stdout.write(`${names.length} packages import alone\n`);
} catch (error) {
  process.stderr.write(`pack-check: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack(name: string): string {
  const folder = join(root, 'packages', name);
  const destination = join(work, 'tarballs', name);
  mkdirSync(destination, { recursive: true });
  run('pnpm', ['pack', '--pack-destination', destination], folder);
  const [file] = readdirSync(destination);
  if (file === undefined) throw new Error(`${name}: nothing was packed`);
  const tarball = join(destination, file);
  run(join(bin, 'publint'), ['run', tarball, '--strict'], folder);
  run(join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', ...data], folder);
  return tarball;
}

function checkAlone(name: string, tarballs: ReadonlyMap<string, string>): void {
  const startedMs = performance.now();
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const local = Object.fromEntries([...tarballs].map(([one, file]) => [one, `file:${file}`]));
  const wanted = uses[name];
  if (wanted === undefined) throw new Error(`${name} has no first use in pack-check`);
  const used = [...new Set([...wanted.matchAll(/from '(@peerai\/[a-z-]+)/g)].map(([, one]) => one ?? ''))];
  const dependencies = Object.fromEntries([`@peerai/${name}`, ...used].map((one) => [one, local[one] ?? '']));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: `alone-${name}`, private: true, type: 'module', dependencies }),
  );
  writeFileSync(
    join(folder, 'pnpm-workspace.yaml'),
    `packages: []\nautoInstallPeers: false\nstrictDepBuilds: false\noverrides:\n  react-native-webrtc: '-'\n${Object.entries(
      local,
    )
      .map(([one, file]) => `  '${one}': '${file}'`)
      .join('\n')}\n`,
  );
  writeFileSync(join(folder, 'clock.mjs'), clock);
  writeFileSync(join(folder, 'use.mjs'), `import { ok } from 'node:assert/strict';\n${wanted}\nprocess.exit(0);\n`);
  run('pnpm', ['install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'], folder);
  run(process.execPath, ['use.mjs'], folder);
  process.stdout.write(
    `  @peerai/${name} ${JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).version} (${Math.round((performance.now() - startedMs) / 100) / 10} s)\n`,
  );
}
