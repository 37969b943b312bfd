import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWireEngine } from '@peerai/llm-bridge/testing';
import { expect, vi } from 'vitest';
import { type Call, ended, start, type Told } from './cli.ts';

/** What the engine's `plain` says. */
export const answer = 'Grüße, 世界 👋🏽 and more';
const secret = 'canary-7f31 secret of both';
/** How long a word may take to come, milliseconds: the machine that runs the tests is busy. */
export const soon = { timeout: 20_000, interval: 50 };

export interface Chatting {
  readonly child: ReturnType<typeof start>;
  type(line: string): void;
  /** When its screen shows this. */
  shows(text: string | RegExp, where?: 'stdout' | 'stderr'): Promise<void>;
  /** Types `/exit`. */
  exit(): Promise<Told>;
}
export interface ChatWorld {
  /** A folder that is gone at the end. */
  readonly root: string;
  readonly ollama: Awaited<ReturnType<typeof startWireEngine>>;
  /** A project as the first assistants have it; `env` is its `.env`. */
  project(env?: Readonly<Record<string, string>>): string;
  /** `peerai chat` in a folder. */
  chat(cwd: string, args?: readonly string[], call?: Call): Chatting;
  /** What the engine was asked so far. */
  questions(): number;
  stop(): Promise<void>;
}

/** Projects, a server that speaks as Ollama does, and real processes that chat. */
export async function chatWorld(): Promise<ChatWorld> {
  const root = mkdtempSync(join(tmpdir(), 'peerai-chat-'));
  const ollama = await startWireEngine('ollama');
  const running = new Set<Chatting>();
  let projects = 0;
  return {
    root,
    ollama,
    project(env = {}) {
      const folder = join(root, `project-${(projects += 1)}`);
      for (const name of ['assistant_a', 'assistant_b', 'inbox'])
        mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
      const all = { SECRET_KEY: `"${secret}"`, OLLAMA_HOST: ollama.url, MODEL_NAME: 'plain', ...env };
      const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(join(folder, '.env'), lines.join(''));
      return folder;
    },
    chat(cwd, args = [], call = {}) {
      const env = { PEERAI_HOME: join(root, 'home'), PEERAI_LLM__ENGINES: '', ...call.env };
      const child = start(['chat', ...args], { cwd, typed: true, env });
      const over = ended(child, 120_000);
      const one: Chatting = {
        child,
        type: (line) => void child.stdin?.write(`${line}\n`),
        shows: (text, where = 'stdout') =>
          vi.waitFor(() => {
            const shown = child.told[where];
            if (typeof text === 'string') expect(shown).toContain(text);
            else expect(shown).toMatch(text);
          }, soon),
        exit: () => {
          child.stdin?.write('/exit\n');
          return over;
        },
      };
      running.add(one);
      void over.then(() => running.delete(one));
      return one;
    },
    questions: () => ollama.asked.filter(({ path }) => path === '/api/chat').length,
    async stop() {
      for (const { child } of running) child.kill('SIGKILL');
      await ollama.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
