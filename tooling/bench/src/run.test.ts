import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Bench, resultOf } from './harness.ts';
import { questions } from './questions.ts';
import { type Outside, runBenches } from './run.ts';

const slow: Bench = {
  name: 'slow',
  run: ({ log }) => {
    log('at work');
    return Promise.resolve({
      results: [resultOf({ case: 'c', unit: '/s', candidate: [1], baseline: [2], goal: 0.9 })],
    });
  },
};
const broken: Bench = {
  name: 'broken',
  run: () => Promise.reject(new Error('out of luck')),
};
const endless: Bench = {
  name: 'endless',
  run: ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
};

async function run(args: readonly string[], outside: Partial<Outside> = {}) {
  const said = { out: '', err: '' };
  const status = await runBenches(args, {
    questions: {
      slow: { question: 'Is it slow?', load: async () => slow },
      broken: { question: 'Does it break?', load: async () => broken },
      endless: { question: 'Does it end?', load: async () => endless },
    },
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    ...outside,
  });
  return { status, ...said };
}

describe('The command', () => {
  it('lists its questions without a name', async () => {
    const { status, out } = await run([]);
    expect(status).toBe(0);
    expect(out).toContain('slow     Is it slow?');
    expect(out).toContain('broken   Does it break?');
  });

  it.each([[['fast']], [['slow', 'fast']], [['--jsonl']], [['constructor']]])(
    'refuses %j with status 2 and runs nothing',
    async (args) => {
      const { status, out, err } = await run(args);
      expect([status, out]).toEqual([2, '']);
      expect(err).toMatch(/^bench: /);
    },
  );

  it('hands on what was asked of the bench, and nothing where nothing was', async () => {
    const asked: unknown[] = [];
    const asking: Bench = {
      name: 'asking',
      run: ({ quick, plot }) => {
        asked.push([quick, plot]);
        return Promise.resolve({ results: [] });
      },
    };
    const only = { questions: { asking: { question: 'What?', load: async () => asking } } };
    await run(['asking', '--quick', '--plot', 'a.svg'], only);
    await run(['asking'], only);
    expect(asked).toEqual([
      [true, 'a.svg'],
      [false, undefined],
    ]);
  });

  it('gives a bench the time it asks for, and no more', async () => {
    const patient: Bench = { ...endless, msMax: 20 };
    const { status, err } = await run(['patient'], {
      questions: { patient: { question: 'Does it end?', load: async () => patient } },
    });
    expect(status).toBe(1);
    expect(err).toContain('not answered within 0.02 s');
  });

  it('ends with 0 when a goal is missed, data on stdout and the rest on stderr', async () => {
    const { status, out, err } = await run(['slow', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ name: 'slow', pass: false });
    expect(err).toBe('slow: at work\n');
  });

  it('answers several questions, also after one that broke, and ends with 1', async () => {
    const { status, out, err } = await run(['broken', 'slow', '--json']);
    expect(status).toBe(1);
    expect(out.split('\n')).toHaveLength(2);
    expect(err).toContain('out of luck');
  });

  it('ends a bench that takes too long', async () => {
    const { status, err } = await run(['endless'], { benchMs: 20 });
    expect(status).toBe(1);
    expect(err).toContain('not answered within 0.02 s');
  });

  it('knows every question by its own name', async () => {
    for (const [name, { load }] of Object.entries(questions)) expect((await load()).name).toBe(name);
    // All of them load most of the house, libp2p and Chromium's driver from source.
  }, 60_000);
});

describe('The program', () => {
  const program = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ['--conditions=@peerai/source', fileURLToPath(new URL('./main.ts', import.meta.url)), ...args],
      { encoding: 'utf8', timeout: 15_000 },
    );

  it('lists every name', () => {
    const { status, stdout } = program();
    expect(status).toBe(0);
    for (const name of Object.keys(questions)) expect(stdout).toMatch(new RegExp(`^${name} `, 'mu'));
  });

  it('refuses an unknown one with status 2, and says which there are', () => {
    const { status, stdout, stderr } = program('fast');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('"fast" is none of gateway, stream');
  });
});
