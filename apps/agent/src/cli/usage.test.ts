import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { homes, inTurns, peerai, program } from '../../test/cli.ts';
import { overview, verbs } from './verbs.ts';

const folders = homes();
afterAll(() => folders.remove());
const call = { home: folders.make() };

test('help fits a terminal of 80 columns', () => {
  const lines = overview('0.1.0', 80).split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

test('help names every verb, and loads none of them', async () => {
  const { code, stdout } = await peerai(['--help'], call);
  expect(code).toBe(0);
  for (const word of Object.keys(verbs)) expect(stdout).toContain(`peerai ${word}`);
  expect((await peerai([], call)).stdout).toBe(stdout);
});

test('in the repository the command is on the path of pnpm exec; before the first build it says what to do', () => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const linked = spawnSync(join(root, 'node_modules/.bin/peerai'), ['--version'], { encoding: 'utf8' });
  expect([linked.status, linked.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  const unbuilt = join(folders.make(), 'bin');
  cpSync(join(root, 'apps/agent/bin'), unbuilt, { recursive: true });
  writeFileSync(join(unbuilt, 'package.json'), '{"type":"module"}');
  const told = spawnSync(process.execPath, [join(unbuilt, 'peerai.js')], { encoding: 'utf8' });
  expect([told.status, told.stdout, told.stderr]).toEqual([1, '', expect.stringContaining('not built yet')]);
});

test('every verb says how it is used, and names its own verbs', { timeout: 60_000 }, async () => {
  const told = await inTurns(Object.entries(verbs), async ([word, { load }]) => {
    const subs = Object.entries((await load()).subs ?? {});
    return { word, subs, ...(await peerai([word, '--help'], call)) };
  });
  for (const { word, subs, code, stdout, stderr } of told) {
    expect({ word, code, stderr }).toEqual({ word, code: 0, stderr: '' });
    expect(stdout).toContain(`peerai ${word}`);
    for (const [sub, { meta }] of subs) {
      const { description } = meta as { readonly description: string };
      const line = stdout.split('\n').find((one) => one.startsWith(`  peerai ${word} ${sub} `));
      expect(line).toContain(description);
    }
    // oxlint-disable-next-line no-control-regex -- a pipe gets no colours
    expect(stdout).not.toMatch(/\u001B/);
  }
});

const mistakes: readonly (readonly [readonly string[], string])[] = [
  [['stauts'], 'did you mean "peerai status"?'],
  [['constructor'], 'there is no "constructor"'],
  [['peers', 'lss'], 'did you mean "peerai peers ls"?'],
  [['peers', 'toString'], 'there is no "peers toString"'],
  [['up', '--nope'], '--nope'],
  [['memory', 'add', 'gas', '--tags', 'home'], 'did you mean --tag?'],
  [['memory', 'add', 'gas', '--level', 'public', '--level', 'personal'], '--level is given twice'],
  [['status', '-z'], '--z'],
  [['up', '--no-nope'], '--nope'],
  [['down', 'now'], 'one word too many'],
  [['run', 'echo', 'two', 'words'], 'quoted'],
  [['groups', 'create', 'team', 'laptop'], '--help'],
  [['run'], 'MODEL'],
  [['share', 'echo', '--tokens', 'many'], '--tokens is "many"'],
  [['up', '--name'], '--name needs a value'],
  [['status', '--timeout', 'soon'], '--timeout is "soon"'],
  [['completion', 'tcsh'], 'bash, zsh or fish'],
  [['env', 'gemini'], 'openai or ollama'],
  [['market', 'offer', 'echo', '--price', '-1'], '--price is credits such as 0.5, below 1,000, not "-1"'],
  [['send', 'a'], 'give a text, --data or --file'],
];

test('the verbs of a noun are listed with their words', async () => {
  const { stdout } = await peerai(['groups', '--help'], call);
  expect(stdout).toMatch(/^peerai groups: several devices that read each other\n/);
  expect(stdout).toMatch(/^ {2}peerai groups add <group> <peer> {3,}Add a device that is there$/mu);
  expect((await peerai(['groups', 'add', '--help'], call)).stdout).not.toContain('peerai groups create');
});

test('a mistake in usage is named, with status 2 and nothing on stdout', { timeout: 60_000 }, async () => {
  const env = { PEERAI_API: 'http://127.0.0.1:9' };
  const told = await inTurns(mistakes, async ([args, says]) => ({ says, ...(await peerai(args, { ...call, env })) }));
  for (const { says, code, stdout, stderr } of told) {
    expect(stderr).toContain(says);
    expect({ says, code, stdout }).toEqual({ says, code: 2, stdout: '' });
  }
});

test('words that no command takes are JSON too where that was asked for', async () => {
  const words = [['stauts'], ['train', 'bogus'], ['train', 'rm']];
  const told = await inTurns(words, (args) => peerai([...args, '--json'], call));
  const error = (message: string, help: string): unknown => ({
    v: 1,
    error: { code: 'USAGE', message, hint: `See: peerai ${help}` },
  });
  expect(told.map(({ code, stdout, stderr }) => [code, JSON.parse(stdout), stderr])).toEqual([
    [2, error('there is no "stauts"; did you mean "peerai status"?', '--help'), ''],
    [2, error('there is no "train bogus"', 'train --help'), ''],
    [2, error('train rm: RUN is missing', 'train rm --help'), ''],
  ]);
});

test('without an agent every command says so and what to do', { timeout: 60_000 }, async () => {
  const commands = ['status', 'models', 'peers', 'ledger verify', 'down', 'doctor', 'key', 'inbox', 'share ls'];
  const told = await inTurns(commands, (words) => peerai([...words.split(' '), '--json'], call));
  for (const { code, stdout } of told) {
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      error: { code: 'AGENT_NOT_RUNNING', hint: expect.stringContaining('peerai up') as string },
    });
  }
  expect((await peerai(['status'], call)).stderr).toContain('peerai up');
});

test('an address where nothing listens counts as not running, and says which', async () => {
  const told = await peerai(['status', '--api', 'http://127.0.0.1:9'], call);
  expect(told.code).toBe(3);
  expect(told.stderr).toContain('http://127.0.0.1:9');
});

test('a leftover of a killed agent, broken or of a process that is gone, counts as none', async () => {
  for (const text of ['', '{', 'null', '[]', '{"pid":"x"}', '{"pid":2147483646,"api":"http://127.0.0.1:9"}']) {
    const home = folders.make();
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'agent.json'), text);
    expect((await peerai(['status'], { home })).code).toBe(3);
  }
});

describe('configuration', () => {
  const home = folders.make();
  mkdirSync(home, { recursive: true });
  const file = join(home, 'peerai.yaml');

  test('a key with a slip is refused with its place and the right word', async () => {
    writeFileSync(file, 'network:\n  nmae: study-pc\n');
    for (const args of [['config', 'check'], ['up'], ['config', 'get']]) {
      const { code, stderr } = await peerai(args, { home });
      expect(code).toBe(9);
      expect(stderr).toMatch(/peerai\.yaml:2/);
      expect(stderr).toContain('did you mean');
    }
  });

  test('a value out of range, a broken file and a missing one are refused', async () => {
    writeFileSync(file, 'llm:\n  max_concurrent: 0\n');
    expect((await peerai(['config', 'check'], { home })).stderr).toContain('at least 1');
    writeFileSync(file, 'api: [\n');
    expect((await peerai(['config', 'check'], { home })).code).toBe(9);
    expect((await peerai(['config', 'check', join(home, 'none.yaml')], { home })).code).toBe(9);
  });

  test('set, get, explain, example and schema agree', async () => {
    writeFileSync(file, '');
    expect((await peerai(['config', 'set', 'network.name', 'attic'], { home })).code).toBe(0);
    expect((await peerai(['config', 'get', 'network.name'], { home })).stdout).toBe('attic\n');
    expect((await peerai(['config', 'explain', 'network.name'], { home })).stdout).toContain('peerai.yaml');
    const { code, stderr } = await peerai(['config', 'set', 'network.naem', 'x'], { home });
    expect({ code, meant: stderr.includes('network.name') }).toEqual({ code: 9, meant: true });
    expect(JSON.parse((await peerai(['config', 'schema'], { home })).stdout)).toMatchObject({ type: 'object' });
    const example = join(home, 'example.yaml');
    writeFileSync(example, (await peerai(['config', 'example'], { home })).stdout);
    expect((await peerai(['config', 'check', example], { home })).code).toBe(0);
    expect((await peerai(['config', 'get', 'nothing.here'], { home })).code).toBe(9);
    const words = [
      ['config', 'schema'],
      ['config', 'example'],
      ['completion', 'bash'],
    ];
    const told = await inTurns(words, (args) => peerai([...args, '--json'], { home }));
    expect(told.map(({ stdout }) => JSON.parse(stdout) as unknown)).toEqual([
      { v: 1, schema: expect.objectContaining({ type: 'object' }) },
      { v: 1, text: readFileSync(example, 'utf8') },
      { v: 1, shell: 'bash', script: expect.stringContaining('complete -F _peerai peerai') },
    ]);
  });
});

test('the completion of each shell knows the verbs, and bash accepts its own', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await peerai(['completion', shell], call);
    expect(code).toBe(0);
    for (const word of ['status', 'ledger', 'verify']) expect(stdout).toContain(word);
    if (shell === 'bash') execFileSync('bash', ['-n'], { input: stdout });
  }
});

test('a reader that leaves early is no failure', () => {
  const script = `"${process.execPath}" "${program}" config schema | head -c 1; exit \${PIPESTATUS[0]}`;
  execFileSync('bash', ['-c', script], { env: { ...process.env, PEERAI_HOME: call.home } });
});
