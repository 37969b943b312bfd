import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  MessageView,
  ModelsView,
  NodeView,
  PeerView,
  PendingPairing,
  ReputationView,
  ShareView,
} from '@peerai/peer/control';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Agent, ended, homes, inTurns, peerai, start, up } from '../../test/cli.ts';
import { isAlive } from './locate.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  [desk, laptop] = await Promise.all([
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'desk' } }),
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'laptop' } }),
  ]);
});
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

// oxlint-disable-next-line no-control-regex -- these are what must not be shown
const steering = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

describe('one agent', () => {
  test('what it leaves in its home is for its owner alone', () => {
    for (const name of ['agent.json', 'token', 'identity.key', 'peerai.db']) {
      expect([name, statSync(join(desk.home, name)).mode & 0o077]).toEqual([name, 0]);
    }
  });

  test('every list is stable JSON with "v":1', { timeout: 60_000 }, async () => {
    const commands = [
      'status',
      'peers',
      'models',
      'share ls',
      'ledger',
      'ledger verify',
      'doctor',
      'key',
      'key ls',
      'inbox',
      'config get',
      'open --url',
      'env openai',
      'models show echo',
    ];
    const told = await inTurns(commands, async (words) => ({
      words,
      ...(await desk.run([...words.split(' '), '--json'])),
    }));
    for (const { words, stdout, code } of told) {
      expect([words, code, stdout.trimEnd().split('\n').length]).toEqual([words, 0, 1]);
      expect(JSON.parse(stdout)).toMatchObject({ v: 1 });
    }
    const lines = (await desk.run(['models', '--jsonl'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatchObject({ v: 1, name: 'echo' });
  });

  test('status and doctor are readable', async () => {
    const status = await desk.run(['status']);
    expect(status.stdout).toContain('desk');
    expect(status.stdout).toContain(`token     ${join(desk.home, 'token')}`);
    expect((await desk.run(['doctor'])).stdout).toContain('✓ Ledger');
    expect((await desk.run(['models'])).stdout).toMatch(/^MODEL +ENGINE/);
  });

  test('a question comes from an argument or a pipe; the answer alone is on stdout', async () => {
    const asked = await desk.run(['run', 'echo', 'one two']);
    expect(asked.stdout).toBe('echo: one two\n');
    expect(asked.stderr).toContain('desk · local');
    expect((await desk.run(['run', 'echo'], { input: 'from a pipe\n' })).stdout).toBe('echo: from a pipe\n');
    expect((await desk.run(['run', 'echo', '--', '--help'])).stdout).toBe('echo: --help\n');
    const json = await desk.json<{ answer: string }>(['run', 'echo', 'hi']);
    expect(json.answer).toBe('echo: hi');
    expect((await desk.run(['run', 'echo'], { input: '' })).code).toBe(2);
  });

  test('an answer that steers terminals is shown without its power', async () => {
    const asked = await desk.run(['run', 'echo', 'a\u001B[31mb\u009B2Jc\u202Ed']);
    expect(asked.stdout).toBe('echo: a[31mb2Jcd\n');
    const json = await desk.run(['run', 'echo', 'a\u001B[31mb\u009B2Jc', '--json']);
    expect(json.stdout.trimEnd()).not.toMatch(steering);
    expect(JSON.parse(json.stdout)).toMatchObject({ answer: 'echo: a\u001B[31mb\u009B2Jc' });
  });

  test('each failure has its own status', { timeout: 60_000 }, async () => {
    const failures: readonly (readonly [number, readonly string[]])[] = [
      [7, ['run', 'no-such-model', 'hi']],
      [7, ['run', 'fail', 'hi']],
      [7, ['models', 'show', 'none']],
      [8, ['run', 'echo-slow', 'word '.repeat(200), '--timeout', '0.7']],
      [1, ['send', 'nobody', 'hi']],
      [1, ['peers', 'show', 'nobody']],
      [1, ['nodes', 'free', 'nobody']],
      [2, ['ledger', 'evidence']],
      [2, ['train', 'start', 'no-such-file.csv']],
      [5, ['join', 'peerai://pair/nonsense']],
      [5, ['status', '--api', desk.info.api, '--home', laptop.home]],
    ];
    const told = await inTurns(failures, async ([expected, args]) => ({ args, expected, ...(await desk.run(args)) }));
    for (const { args, expected, code, stderr } of told) {
      expect([args.join(' ').slice(0, 40), code, stderr]).toEqual([
        args.join(' ').slice(0, 40),
        expected,
        expect.stringMatching(/\(\w+\)/),
      ]);
    }
  });

  test('a link that is no invite says what an invite looks like, and where to get one', async () => {
    const { stderr, code } = await desk.run(['join', 'peerai://pair/nonsense']);
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(/^peerai: this is no invite; .*pair\/…\n  .*`peerai invite`.*\n  \(INVITE_INVALID\)\n$/),
    ]);
  });

  test('a broken answer keeps the part that came', async () => {
    const { stdout, stderr, code } = await desk.run(['run', 'fail', 'hi']);
    expect(stdout.trim().split(' ')).toHaveLength(3);
    expect([code, stderr.includes('ENGINE_FAILED')]).toEqual([7, true]);
  });

  test('Ctrl-C ends a question with status 130, and frees the engine', async () => {
    const child = start(['run', 'echo-slow', 'word '.repeat(400)], { home: desk.home });
    await vi.waitFor(() => expect(child.told.stdout).toContain('word'), { timeout: 10_000 });
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(130);
  });

  test('up again says that it runs already', async () => {
    const { code, stdout } = await desk.run(['up']);
    expect([code, stdout.includes(String(desk.info.pid))]).toEqual([0, true]);
  });

  test('a key opens the gateway until it is revoked', async () => {
    const key = (await desk.run(['key', 'add', 'tool'])).stdout.trim();
    const ask = async () =>
      (await fetch(`${desk.info.api}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await ask()).toBe(200);
    expect((await desk.run(['key', 'revoke', 'tool'])).code).toBe(0);
    expect(await ask()).toBe(401);
    const env = (await desk.run(['env', 'ollama'])).stdout;
    const host = /^export OLLAMA_HOST='(.+)'$/m.exec(env)?.[1] ?? '';
    expect((await fetch(`${host}/api/tags`)).status).toBe(200);
    expect(env).not.toContain(readFileSync(join(desk.home, 'token'), 'utf8').trim());
  });

  test('a share is made, listed and stopped', async () => {
    const made = await desk.json<{ share: ShareView }>([
      'share',
      'echo',
      '--for',
      '30m',
      '--tokens',
      '500',
      '--guests',
      '2',
      '--qr',
    ]);
    expect(made.share).toMatchObject({ models: ['echo'], tokens: { budget: 500 }, guestsMax: 2, state: 'active' });
    expect((await desk.run(['share', 'ls'])).stdout).toContain(made.share.id);
    expect((await desk.run(['share', 'stop', made.share.id])).code).toBe(0);
    const { shares } = await desk.json<{ shares: ShareView[] }>(['share', 'ls']);
    expect(shares.find(({ id }) => id === made.share.id)?.state).toBe('stopped');
    expect((await desk.run(['share', 'none-such'])).code).toBe(7);
    const qr = await desk.run(['share', 'echo', '--qr']);
    expect(qr.stderr).toContain('█');
    expect(qr.stdout.trim().split('\n')).toHaveLength(1);
  });
});

describe('two agents', () => {
  const model = 'echo@desk';
  /** Waits until the laptop sees the desk's models. */
  const offered = () =>
    vi.waitFor(
      async () => {
        const { models } = await laptop.json<ModelsView>(['models']);
        expect(models.map(({ name, path }) => `${name} ${path}`)).toContain(`${model} direct`);
      },
      { timeout: 15_000, interval: 200 },
    );

  test('pair by invite, join and the emoji on both screens', { timeout: 60_000 }, async () => {
    const link = (await desk.run(['invite', '--no-wait', '--allow', 'chat'])).stdout.trim();
    expect(link).toMatch(/^peerai:\/\/pair\//);
    const joining = laptop.json<{ pairing: PendingPairing }>(['join', link, '--timeout', '15']);
    const waiting = await vi.waitFor(
      async () => {
        const { pending } = await desk.json<{ pending: PendingPairing[] }>(['peers']);
        expect(pending).toHaveLength(1);
        return pending[0];
      },
      { timeout: 15_000, interval: 200 },
    );
    expect((await desk.run(['peers', 'accept', waiting?.id.slice(0, 8) ?? ''])).stdout).toContain('laptop');
    expect((await joining).pairing).toMatchObject({ name: 'desk', state: 'accepted', emoji: waiting?.emoji });
    await offered();
  });

  test('the other answers, and says it signed', async () => {
    const { stdout, stderr } = await laptop.run(['run', 'echo', 'across', '--peer', 'desk']);
    expect(stdout).toBe('echo: across\n');
    expect(stderr).toMatch(/desk · direct · signed ✓/);
    expect((await laptop.run(['peers', 'ping', 'desk'])).stdout).toMatch(/ms · direct/);
  });

  test('the books hold the receipt, prove it and export it', async () => {
    await vi.waitFor(
      async () => expect((await laptop.run(['ledger', 'verify'])).stdout).toContain('1 receipt signed by both sides'),
      { timeout: 10_000, interval: 200 },
    );
    expect((await laptop.run(['ledger', 'tail'])).stdout).toMatch(/answer of …/);
    const { reputation } = await laptop.json<{ reputation: ReputationView }>(['peers', 'reputation', 'desk']);
    expect(reputation.score).toBeGreaterThan(0.3);
    expect(reputation.lines.map(({ reason }) => reason)).toContain('answered');
    const lines = (await laptop.run(['ledger', 'export'])).stdout.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ v: 1, receipt: { model: 'echo' } });
    const out = join(laptop.home, 'a.proof');
    expect((await laptop.run(['ledger', 'prove', '0', '--out', out])).code).toBe(0);
    const checked = await laptop.run(['ledger', 'verify', '--from', out]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ entry 0 (') as string });
    expect(existsSync(`${out}.entry`)).toBe(false);
    expect((await laptop.run(['ledger', 'prove', '9999', '--out', out])).code).toBe(1);
  });

  test('a message arrives; a follower sees it come', { timeout: 60_000 }, async () => {
    const follower = start(['inbox', '--follow'], { home: laptop.home });
    await vi.waitFor(() => expect(follower.told.stdout).toContain('Nothing yet'), { timeout: 10_000 });
    await sleep(300);
    expect((await desk.run(['send', 'laptop', 'good\u001B[2J morning'])).stdout).toMatch(/delivered|Queued/);
    await vi.waitFor(() => expect(follower.told.stdout).toContain('good[2J morning'), { timeout: 10_000 });
    follower.kill('SIGINT');
    await ended(follower);
    expect((await desk.run(['send', 'laptop', '--data', '{"a":[1,2]}', '--priority', 'high'])).code).toBe(0);
    expect((await desk.run(['send', 'laptop', 'x', '--priority', 'urgent'])).code).toBe(2);
    expect((await desk.run(['send', 'laptop', '--data', '{"a":'])).code).toBe(2);
    await vi.waitFor(
      async () => {
        const { messages } = await laptop.json<{ messages: MessageView[] }>(['inbox']);
        expect(messages.map(({ payload }) => payload)).toContainEqual({ a: [1, 2] });
      },
      { timeout: 10_000, interval: 200 },
    );
  });

  test('a name that steers terminals is shown without its power', async () => {
    expect((await laptop.run(['peers', 'rename', 'desk', 'e\u001B]0;x\u0007vil\nroot  device'])).code).toBe(0);
    for (const args of [['peers'], ['peers', '--json'], ['status'], ['models']]) {
      const { stdout, stderr } = await laptop.run(args);
      expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(steering);
    }
    expect((await laptop.run(['peers'])).stdout.split('\n').filter((line) => line.startsWith('root'))).toEqual([]);
    const { peers } = await laptop.json<{ peers: PeerView[] }>(['peers']);
    expect((await laptop.run(['peers', 'rename', peers[0]?.peerId ?? '', 'desk'])).code).toBe(0);
  });

  test(
    'a killed provider is named as unreachable, the killed agent starts again as the same peer',
    { timeout: 60_000 },
    async () => {
      await desk.end('SIGKILL');
      expect(existsSync(join(desk.home, 'agent.json'))).toBe(true);
      expect((await desk.run(['status'])).code).toBe(3);
      const asked = await laptop.run(['run', model, 'hi', '--timeout', '20']);
      expect([asked.code, asked.stderr]).toEqual([4, expect.stringMatching(/PEER_UNREACHABLE|PEER_LOST/)]);
      const before = desk.info;
      // Another program got the process number of the killed one.
      writeFileSync(join(desk.home, 'agent.json'), JSON.stringify({ ...before, pid: process.pid }));
      desk = await up(desk.home, { env: { PEERAI_NETWORK__NAME: 'desk' } });
      expect(desk.info.peerId).toBe(before.peerId);
      const { peers } = await desk.json<{ peers: PeerView[] }>(['peers']);
      expect(peers).toMatchObject([{ name: 'laptop', allow: ['chat'] }]);
      expect((await desk.run(['ledger', 'verify'])).code).toBe(0);
    },
  );

  test('who may not chat is refused, and who is blocked is cut off', { timeout: 60_000 }, async () => {
    await offered();
    expect((await desk.run(['peers', 'allow', 'laptop', 'none'])).stdout).toContain('nothing');
    const refused = await laptop.run(['run', model, 'hi', '--timeout', '15']);
    // 7 once the laptop has been told again what the desk offers: nothing.
    expect([5, 7]).toContain(refused.code);
    expect(refused.stdout).toBe('');
    expect((await desk.run(['peers', 'allow', 'laptop', 'chat,sing'])).code).toBe(2);
    expect((await desk.run(['peers', 'block', 'laptop'])).code).toBe(0);
    const cut = await laptop.run(['run', model, 'hi', '--timeout', '15']);
    expect([4, 5, 7]).toContain(cut.code);
  });

  test('down ends within 5 s and leaves nothing that says it runs', async () => {
    const startedMs = Date.now();
    expect((await laptop.run(['down'])).stdout).toBe('Stopped.\n');
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    expect(existsSync(join(laptop.home, 'agent.json'))).toBe(false);
    expect((await laptop.end()).code).toBe(0);
  });

  test('SIGTERM ends it in order within 5 s', async () => {
    const startedMs = Date.now();
    expect(await desk.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    expect(existsSync(join(desk.home, 'agent.json'))).toBe(false);
  });
});

test('up --detach comes back when it is ready, logs to a file, and down ends it', { timeout: 60_000 }, async () => {
  const home = folders.make();
  const told = await peerai(['up', '--detach', '--name', 'attic', '--json'], { home });
  expect(told.code).toBe(0);
  const { agent } = JSON.parse(told.stdout) as { agent: { pid: number; api: string } };
  const { node } = JSON.parse((await peerai(['status', '--json'], { home })).stdout) as { node: NodeView };
  expect(node).toMatchObject({ name: 'attic', api: agent.api });
  expect((await peerai(['logs'], { home })).stdout).toContain('agent-ready');
  expect((await peerai(['down'], { home })).code).toBe(0);
  expect(isAlive(agent.pid)).toBe(false);
});
