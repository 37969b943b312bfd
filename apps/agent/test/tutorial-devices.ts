import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, peerai } from './cli.ts';
import type { Device } from './tutorial.ts';

/** What a command printed, on both streams as they came, and how it ended. */
export interface Typed {
  readonly screen: string;
  readonly code: number | null;
}

/** A terminal of one device: a home, a folder, and a shell to which `peerai` and `node` are known. */
export interface Terminal {
  readonly name: Device;
  readonly home: string;
  readonly folder: string;
  /**
   * Types a line once the one before has ended. Resolves when it ends, or as soon as its screen shows `until`; then `ended` tells the rest.
   * A line that runs for longer than `msMax` is killed.
   */
  type(line: string, msMax: number, until?: string): Promise<Typed & { readonly ended: Promise<Typed> }>;
}

/** Two devices in folders that are gone at the end, as their agents are. */
export function twoDevices(): Readonly<Record<Device, Terminal>> & { stop(): Promise<void> } {
  const root = mkdtempSync(join(tmpdir(), 'peerai-tutorial-'));
  const commands = join(root, 'bin');
  mkdirSync(commands);
  symlinkSync(fileURLToPath(new URL('../bin/peerai.js', import.meta.url)), join(commands, 'peerai'));
  const path = [commands, dirname(process.execPath), process.env['PATH']].join(delimiter);
  const running = new Set<ChildProcess>();
  const terminal = (name: Device): Terminal => {
    const [home, folder] = [join(root, 'homes', name), join(root, name)];
    mkdirSync(folder);
    const env = environment({ home, env: { PATH: path, PEERAI_LLM__ENGINES: 'nano' } });
    let before: Promise<unknown> = Promise.resolve();
    return {
      name,
      home,
      folder,
      async type(line, msMax, until) {
        await before;
        const child = spawn('sh', ['-c', `exec 2>&1\n${line}`], {
          cwd: folder,
          env,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        running.add(child);
        const timer = setTimeout(() => child.kill('SIGKILL'), msMax);
        let screen = '';
        const { promise: isShown, resolve: show } = Promise.withResolvers<void>();
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          screen += text;
          if (until !== undefined && screen.includes(until)) show();
        });
        const ended = new Promise<Typed>((resolve) => {
          child.once('close', (code) => {
            clearTimeout(timer);
            running.delete(child);
            resolve({ screen, code });
          });
        });
        before = ended;
        const code = await Promise.race([ended.then((end) => end.code), isShown.then(() => 0)]);
        return { screen, code, ended };
      },
    };
  };
  const [desk, laptop] = [terminal('desk'), terminal('laptop')];
  return {
    desk,
    laptop,
    async stop() {
      for (const child of running) child.kill('SIGKILL');
      await Promise.all([desk, laptop].map(({ home }) => peerai(['down'], { home })));
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
