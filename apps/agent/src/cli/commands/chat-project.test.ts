import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chatLimits } from './chat-limits.ts';
import { openChatLog, readChatLog } from './chat-log.ts';
import { chatEnvironment, chatPeer, chatProject, isShared } from './chat-project.ts';

const root = mkdtempSync(join(tmpdir(), 'peerai-project-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const code = (value: string): Error => expect.objectContaining({ code: value }) as Error;

test('without a flag the folder is the name and its parent the project', () => {
  const cwd = join(root, 'assistant_a');
  expect(chatProject({}, cwd)).toEqual({
    folder: root,
    self: 'assistant_a',
    inbox: join(root, 'inbox'),
    log: join(root, 'logs', 'assistant_a.jsonl'),
  });
});

test('with a name the project is here, or the parent that has a .env or an inbox', () => {
  for (const name of ['.env', 'inbox']) {
    const folder = join(root, `with ${name}`);
    const common = join(folder, 'common');
    mkdirSync(common, { recursive: true });
    expect(chatProject({ id: 'x' }, common).folder).toBe(common);
    if (name === '.env') writeFileSync(join(folder, name), '');
    else mkdirSync(join(folder, name));
    expect([chatProject({ id: 'x' }, common).folder, chatProject({ id: 'x' }, folder).folder]).toEqual([
      folder,
      folder,
    ]);
    expect(chatProject({ id: 'x', dir: '.' }, common).folder).toBe(common);
  }
  expect(() => chatProject({}, '/home/my folder')).toThrow(code('USAGE'));
});

test('the other one is named, or follows from _a and _b', () => {
  expect([chatPeer('assistant_a', undefined), chatPeer('x_b', undefined), chatPeer('x', 'y')]).toEqual([
    'assistant_b',
    'x_a',
    'y',
  ]);
  for (const [self, peer] of [
    ['assistant', undefined],
    ['x', 'x'],
    ['x', 'a/b'],
  ] as const) {
    expect(() => chatPeer(self, peer)).toThrow(code('USAGE'));
  }
});

test('a .env of envBytesMax bytes gives the four names and no other, below the environment', () => {
  const folder = join(root, 'env');
  mkdirSync(folder);
  expect(chatEnvironment(folder, { A: '1' })).toEqual({ A: '1' });
  const text =
    'SECRET_KEY="a b=c" # kept secret\nOLLAMA_HOST=h\nMODEL_NAME=m\nNODE_OPTIONS=--inspect\nPEERAI_API__BIND=0.0.0.0\n';
  writeFileSync(join(folder, '.env'), text.padEnd(chatLimits.envBytesMax));
  expect(chatEnvironment(folder, { A: '1', MODEL_NAME: 'own', OLLAMA_HOST: '' })).toEqual({
    A: '1',
    SECRET_KEY: 'a b=c',
    MODEL_NAME: 'own',
    OLLAMA_HOST: 'h',
  });
  writeFileSync(join(folder, '.env'), text.padEnd(chatLimits.envBytesMax + 1));
  expect(() => chatEnvironment(folder, {})).toThrow(code('CONFIG_INVALID'));
});

test.skipIf(process.platform === 'win32')('a folder that others may look into is shared', () => {
  const folder = join(root, 'shared');
  expect(isShared(folder)).toBe(false);
  mkdirSync(folder, { mode: 0o700 });
  expect(isShared(folder)).toBe(false);
  for (const mode of [0o750, 0o701, 0o777]) {
    chmodSync(folder, mode);
    expect(isShared(folder)).toBe(true);
  }
});

test('a log is put aside at logBytesMax, logsKept are kept, and all of them are read, oldest first', () => {
  const path = join(root, 'logs', 'x.jsonl');
  const log = openChatLog(path, { withText: true });
  const lines = Math.ceil((chatLimits.logBytesMax * (chatLimits.logsKept + 2)) / 100_000);
  for (let n = 0; n < lines; n += 1) {
    const text = `${n} `.padEnd(100_000, 'x');
    log.add(
      { from: 'a', to: 'b' },
      { text, type: 'user', userInitiated: true, conversationId: n % 2 === 0 ? 'even' : 'odd' },
    );
  }
  log.close();
  const files = readdirSync(join(root, 'logs'));
  expect(files).toHaveLength(chatLimits.logsKept + 1);
  for (const file of files)
    expect(readFileSync(join(root, 'logs', file)).length).toBeLessThanOrEqual(chatLimits.logBytesMax);
  writeFileSync(path, 'half a li\nnull\n{"timestamp":1}\n', { flag: 'a' });
  const numbers = (conversation?: string): number[] =>
    readChatLog(path, conversation).map(({ text }) => Number.parseInt(text ?? '', 10));
  const all = numbers();
  expect(all).toEqual(Array.from({ length: all.length }, (_, index) => lines - all.length + index));
  expect(numbers('odd')).toEqual(all.filter((n) => n % 2 === 1));
});
