import { spawn, spawnSync } from 'node:child_process';
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { answer, type ChatWorld, chatWorld, soon } from '../../../test/chat.ts';
import { peerai, program, type Told } from '../../../test/cli.ts';
import { chatLimits } from './chat-limits.ts';

let world: ChatWorld;
beforeAll(async () => {
  world = await chatWorld();
});
afterAll(() => world.stop());

describe('two assistants in two folders', { timeout: 60_000 }, () => {
  test('a line typed in one is shown in the other, whose model answers, and that is the end of it', async () => {
    const folder = world.project();
    const before = world.questions();
    const a = world.chat(join(folder, 'assistant_a'));
    const b = world.chat(join(folder, 'assistant_b'));
    await a.shows('[assistant_a] 🟢 assistant_a ready. Talking to assistant_b. Type /exit to quit.\n');
    await b.shows('[assistant_b] 🟢 assistant_b ready. Talking to assistant_a. Type /exit to quit.\n');
    await a.shows('🤝 assistant_a got handshake from assistant_b, who is there\n');
    await b.shows('🤝 assistant_b got handshake from assistant_a');
    a.type('Hello, how are you today?');
    await a.shows('[assistant_a] 📩 assistant_a → assistant_b: Hello, how are you today?\n');
    await b.shows('[assistant_b] 📩 assistant_a → assistant_b: Hello, how are you today?\n');
    await b.shows(`[assistant_b] 🧠 assistant_b: ${answer}\n`);
    await a.shows(`[assistant_a] 📩 assistant_b → assistant_a: ${answer}\n`);
    b.type('And you?');
    await b.shows(`📩 assistant_a → assistant_b: ${answer}\n`);
    // Both answers are there, each was made once, and neither was answered.
    const [toldA, toldB] = await Promise.all([a.exit(), b.exit()]);
    expect([toldA.code, toldB.code, world.questions() - before]).toEqual([0, 0, 2]);
    expect(toldA.stdout).toMatch(/👋 assistant_a exiting\.\n$/u);
    for (const text of [toldA.stdout, toldA.stderr, toldB.stdout, toldB.stderr]) expect(text).not.toContain('canary');
    expect(readdirSync(join(folder, 'inbox'))).toEqual(['assistant_a.json', 'assistant_b.json']);
    expect(readFileSync(join(folder, 'inbox', 'assistant_a.json'), 'utf8')).toBe('[]');
  });

  test('the model gets the line in Ollama’s form, with what was said before, as the first assistants asked', async () => {
    const folder = world.project();
    const b = world.chat(folder, ['--id', 'assistant_b', '--peer', 'assistant_a']);
    const a = world.chat(folder, ['--id', 'assistant_a', '--peer', 'assistant_b']);
    a.type('first');
    await a.shows(`assistant_b → assistant_a: ${answer}`);
    a.type('second');
    await vi.waitFor(() => expect(a.child.told.stdout.split(answer)).toHaveLength(3), soon);
    await Promise.all([a.exit(), b.exit()]);
    const { body } = world.ollama.asked.findLast(({ path }) => path === '/api/chat') ?? {};
    expect(body).toMatchObject({
      model: 'plain:latest',
      messages: [
        { role: 'system', content: expect.stringContaining('assistant_b') },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: answer },
        { role: 'user', content: 'second' },
      ],
      options: { temperature: 0.6, top_p: 0.9 },
    });
  });

  test('mail that was left while nobody was there is read later', async () => {
    const folder = world.project();
    const a = world.chat(folder, ['--id', 'assistant_a']);
    a.type('x'.repeat(chatLimits.lineCharsMax + 1));
    await a.shows(`❌ a line has at most ${chatLimits.lineCharsMax} characters`);
    a.type('y'.repeat(chatLimits.lineCharsMax));
    await a.shows(`📩 assistant_a → assistant_b: ${'y'.repeat(chatLimits.lineCharsMax)}\n`);
    a.type('are you there?');
    await a.shows('📩 assistant_a → assistant_b: are');
    expect((await a.exit()).code).toBe(0);
    const kept = JSON.parse(readFileSync(join(folder, 'inbox', 'assistant_b.json'), 'utf8')) as Record<
      string,
      unknown
    >[];
    expect(kept.at(-1)).toEqual({
      from: 'assistant_a',
      to: 'assistant_b',
      type: 'user',
      encrypted: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/u),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+$/u),
      conversation_id: expect.any(String),
      user_initiated: true,
    });
    const b = world.chat(folder, ['--id', 'assistant_b']);
    await b.shows('📩 assistant_a → assistant_b: are you there?');
    await b.shows(answer);
    await b.exit();
  });

  test('an engine that is not there is said on both sides, and the chat goes on', async () => {
    const folder = world.project({ OLLAMA_HOST: 'http://127.0.0.1:9' });
    const a = world.chat(folder, ['--id', 'assistant_a']);
    const b = world.chat(folder, ['--id', 'assistant_b']);
    a.type('hello');
    await b.shows(/❌ assistant_b has no answer: .*\(ENGINE_UNREACHABLE\)/u);
    await a.shows('📩 assistant_b → assistant_a: (no answer: ENGINE_UNREACHABLE)');
    expect([(await a.exit()).code, (await b.exit()).code]).toEqual([0, 0]);
  });
});

test('an older program is understood and understands, by node:crypto alone', { timeout: 60_000 }, async () => {
  const folder = world.project();
  const [toA, toB] = ['a', 'b'].map((one) => join(folder, 'inbox', `assistant_${one}.json`)) as [string, string];
  const key = createHash('sha256').update('canary-7f31 secret of both').digest();
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 7));
  const ciphertext = Buffer.concat([cipher.update('wie geht’s?', 'utf8'), cipher.final()]);
  const line = {
    from: 'assistant_a',
    to: 'assistant_b',
    type: 'bot',
    encrypted: Buffer.concat([Buffer.alloc(12, 7), cipher.getAuthTag(), ciphertext]).toString('base64'),
    timestamp: '2025-06-15T12:32:02.123456',
    conversation_id: null,
    user_initiated: true,
  };
  writeFileSync(toB, JSON.stringify([line], null, 2));
  const b = world.chat(join(folder, 'assistant_b'));
  await b.shows('📩 assistant_a → assistant_b: wie geht’s?');
  await b.shows('🧠 assistant_b:');
  await b.exit();
  const mail = JSON.parse(readFileSync(toA, 'utf8')) as (typeof line)[];
  const texts = mail.map(({ encrypted }) => {
    const bytes = Buffer.from(encrypted, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
  });
  expect(texts).toEqual(['Handshake Init', answer]);
  expect(mail[1]).toMatchObject({ type: 'bot', user_initiated: false, conversation_id: null });
});

describe('a wrong secret', { timeout: 60_000 }, () => {
  test('is "Failed to decrypt message", a wrong signature "HMAC mismatch", and the next good line is read', async () => {
    const folder = world.project();
    const b = world.chat(join(folder, 'assistant_b'));
    await b.shows('🟢');
    const other = world.chat(join(folder, 'assistant_a'), [], { env: { SECRET_KEY: 'another secret' } });
    await b.shows('[assistant_b] 🔐 Failed to decrypt message (is SECRET_KEY the same on both sides?)\n');
    expect((await other.exit()).code).toBe(0);
    const old = {
      from: 'assistant_a',
      to: 'assistant_b',
      type: 'user',
      message: 'x',
      hmac_sig: '00',
      user_initiated: true,
    };
    await vi.waitFor(() => expect(readFileSync(join(folder, 'inbox', 'assistant_b.json'), 'utf8')).toBe('[]'), soon);
    writeFileSync(join(folder, 'inbox', 'assistant_b.json'), JSON.stringify([old]));
    await b.shows('[assistant_b] 🚨 HMAC mismatch (is SECRET_KEY the same on both sides?)\n');
    const a = world.chat(join(folder, 'assistant_a'));
    a.type('good');
    await a.shows(answer);
    const told = await b.exit();
    expect([told.code, (await a.exit()).code]).toEqual([0, 0]);
    expect(told.stdout + told.stderr).not.toMatch(/canary|another secret/u);
  });

  test('no secret, no peer, no name: each is said with what to do', async () => {
    const folder = world.project({ SECRET_KEY: '' });
    const call = { cwd: join(folder, 'assistant_a'), env: { PEERAI_HOME: join(world.root, 'home') } };
    const without = await peerai(['chat'], call);
    expect([without.code, without.stderr]).toEqual([9, expect.stringMatching(/SECRET_KEY.*\n.*\.env/u)]);
    const nobody = await peerai(['chat', '--id', 'someone'], call);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--peer')]);
    for (const args of [
      ['--id', '../x'],
      ['--id', 'a', '--peer', 'a'],
      ['--log', 'words'],
      ['--peer', 'a/b'],
    ]) {
      expect((await peerai(['chat', ...args], call)).code).toBe(2);
    }
  });
});

describe('the log', { timeout: 60_000 }, () => {
  test('keeps a conversation by its id, in files of the owner alone', async () => {
    const folder = world.project();
    const a = world.chat(join(folder, 'assistant_a'));
    const b = world.chat(join(folder, 'assistant_b'), ['--log', 'off']);
    a.type('one');
    await a.shows(answer);
    const id = /conversation ([0-9a-f-]{36})/u.exec(a.child.told.stderr)?.[1] ?? '';
    await Promise.all([a.exit(), b.exit()]);
    const again = world.chat(join(folder, 'assistant_a'));
    again.type('two');
    await again.shows('assistant_b: two');
    await again.exit();
    expect(readdirSync(join(folder, 'logs'))).toEqual(['assistant_a.jsonl']);
    expect(statSync(join(folder, 'logs', 'assistant_a.jsonl')).mode & 0o777).toBe(0o600);
    const read = async (...args: string[]): Promise<Told> =>
      peerai(['log', ...args], { cwd: join(folder, 'assistant_a') });
    expect((await read()).stdout).toContain('two');
    const { stdout } = await read('assistant_a', '--dir', folder, '--conversation', id, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      lines: [
        { from: 'assistant_a', to: 'assistant_b', text: 'one', conversation_id: id, user_initiated: true },
        { from: 'assistant_b', to: 'assistant_a', text: answer, conversation_id: id, user_initiated: false },
      ],
    });
    expect((await read('--conversation', 'none')).stderr).toContain('NOT_FOUND');
  });

  test('keeps no words where others may look into the inbox, unless it is told to', async () => {
    const folder = world.project();
    chmodSync(join(folder, 'inbox'), 0o755);
    const talk = async (line: string, ...args: string[]): Promise<string> => {
      const a = world.chat(join(folder, 'assistant_a'), args);
      a.type(line);
      await a.shows(`assistant_b: ${line}`);
      return (await a.exit()).stderr;
    };
    expect(await talk('first')).toContain('the log keeps no words');
    await talk('second', '--log', 'text');
    const kept = readFileSync(join(folder, 'logs', 'assistant_a.jsonl'), 'utf8');
    expect([kept.includes('first'), kept.includes('second'), kept.includes('"length":5')]).toEqual([false, true, true]);
  });
});

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
test.skipIf(!hasScript)(
  'on a terminal (made by script) what comes stands above what is being typed',
  { timeout: 60_000 },
  async () => {
    const folder = world.project();
    const command = `${process.execPath} ${program} chat`;
    const env = { ...process.env, PEERAI_HOME: join(world.root, 'home'), OLLAMA_HOST: world.ollama.url, TERM: 'xterm' };
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: join(folder, 'assistant_a'),
      env,
      stdio: 'pipe',
    });
    let screen = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
    const over = new Promise<number | null>((resolve) => void terminal.once('close', resolve));
    const shows = (text: string): Promise<void> => vi.waitFor(() => expect(screen).toContain(text), soon);
    const b = world.chat(join(folder, 'assistant_b'));
    await b.shows('🤝 assistant_b got handshake');
    await shows('who is there');
    terminal.stdin.write('half a li');
    await shows('half a li');
    b.type('from b');
    await shows('📩 assistant_b → assistant_a: from b');
    await shows(`🧠 assistant_a: ${answer}`);
    terminal.stdin.write('ne\r');
    await b.shows('📩 assistant_a → assistant_b: half a line\n');
    await b.exit();
    terminal.stdin.write('\u0003');
    expect([await over, screen.includes('👋 assistant_a exiting.')]).toEqual([130, true]);
  },
);
