import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { createLogger, type LoggerOptions } from './logger.ts';

const canary = 'CANARY-5f1d';

function logged(
  write: (logger: ReturnType<typeof createLogger>) => void,
  options: Partial<LoggerOptions> = {},
): string {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  write(createLogger({ level: 'debug', format: 'json', destination, ...options }));
  return text;
}
const parsed = (write: Parameters<typeof logged>[0]): Record<string, unknown> =>
  JSON.parse(logged(write)) as Record<string, unknown>;

describe('a log line', () => {
  it('is one JSON object with level, time, this peer and the event', () => {
    const text = logged((logger) => logger.info('link-up', { path: 'direct', roundTripMs: 12, peer: 'them' }), {
      peer: '12D3KooWme',
    });
    expect(text.endsWith('\n')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/u),
      peerId: '12D3KooWme',
      event: 'link-up',
      path: 'direct',
      roundTripMs: 12,
      peer: 'them',
    });
  });

  it('is written from its level on, and never at silent', () => {
    const all = (logger: ReturnType<typeof createLogger>): void => {
      logger.debug('a');
      logger.info('b');
      logger.warn('c');
      logger.error('d');
    };
    const events = (level: LoggerOptions['level']): string[] =>
      [...logged(all, { level }).matchAll(/"event":"(\w)"/gu)].map(([, name]) => name ?? '');
    expect([events('debug'), events('warn'), events('silent')]).toEqual([['a', 'b', 'c', 'd'], ['c', 'd'], []]);
  });

  it('is for people where that is asked for', () => {
    const text = logged((logger) => logger.warn('queue-full', { length: 32, note: 'two words' }), { format: 'text' });
    expect(text).toMatch(/^\d\d:\d\d:\d\d warn {2}queue-full length=32 note="two words"\n$/u);
  });

  it('cannot be passed for another by its fields', () => {
    expect(parsed((logger) => logger.info('real', { level: 'error', event: 'fake', time: 'never' }))).toMatchObject({
      level: 'info',
      event: 'real',
      event_: 'fake',
      level_: 'error',
    });
  });
});

describe('what never appears', () => {
  const bare = new Error(`cannot send ${canary}`, { cause: new Error(canary) });
  const fields: Record<string, Record<string, unknown>> = {
    'a secret by its name': { secret: canary, clientSecret: canary, pin: 123_456 },
    'a token, key or passphrase': {
      apiToken: canary,
      seedKey: canary,
      passphrase: canary,
      password: canary,
      Authorization: canary,
    },
    'prompt text': {
      prompt: { messages: [{ text: canary }] },
      systemPrompt: canary,
      text: canary,
      content: [canary],
      body: canary,
    },
    'the same deep inside': { a: { b: [{ c: { authorization: canary } }] }, map: new Map([['token', canary]]) },
    'a gateway key in a path': { url: `/t/${canary}/v1/models?x=1`, also: new URL(`http://h/t/${canary}/v1`) },
    'a ticket behind #': { url: `https://page.example/s#${canary}`, join: `peerai://join/${canary}` },
    'a bearer token in a sentence': {
      reason: `header was Bearer ${canary}; bye`,
      url: `http://h/?token=${canary}&a=1`,
    },
    'what a foreign error quotes': { error: bare },
    'secrets in details of our error': { error: new PeerAiError('REFUSED', 'no', { token: canary }, { cause: bare }) },
    bytes: { data: new TextEncoder().encode(canary), buffer: Buffer.from(canary) },
  };
  it.each(Object.keys(fields))('%s', (name) => {
    for (const format of ['json', 'text'] as const) {
      const text = logged((logger) => logger.error('thing', fields[name]), { format });
      expect(text).toContain('thing');
      expect(text).not.toContain(canary);
      expect(text).not.toContain(Buffer.from(canary).toString('base64'));
      expect(text).not.toContain('123456');
    }
  });

  it('a key inside the event itself', () => {
    expect(logged((logger) => logger.info(`GET /t/${canary}/v1`))).not.toContain(canary);
  });

  it('while counts, codes and places stay', () => {
    const error = new PeerAiError('TIMEOUT', 'not done within 5 ms', { limit: 5 }, { cause: bare });
    expect(
      parsed((logger) =>
        logger.error('failed', { promptTokens: 12, textBytes: 3, keys: true, error, id: 7n, when: new Date(0) }),
      ),
    ).toMatchObject({
      promptTokens: 12,
      textBytes: 3,
      keys: true,
      id: '7',
      when: '1970-01-01T00:00:00.000Z',
      error: {
        code: 'TIMEOUT',
        reason: 'not done within 5 ms',
        details: { limit: 5 },
        cause: { name: 'Error', at: expect.stringContaining('logger.test') },
      },
    });
  });

  it('control characters, new lines and marks that turn the direction of text', () => {
    const evil = 'a\u001b[2J\r\nb\u009b\u202ec\u2028d\u007f\uD800';
    for (const format of ['json', 'text'] as const) {
      const text = logged((logger) => logger.info(evil, { name: evil, [evil]: 1 }), { format });
      // oxlint-disable-next-line no-control-regex
      expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/u);
      expect(text.isWellFormed()).toBe(true);
    }
  });
});

describe('limits of a line', () => {
  it('a text has logTextUnitsMax units, then it is cut', () => {
    const value = (units: number): unknown => parsed((logger) => logger.info('e', { name: 'x'.repeat(units) }))['name'];
    expect(value(limits.logTextUnitsMax)).toBe('x'.repeat(limits.logTextUnitsMax));
    expect(value(limits.logTextUnitsMax + 1)).toBe(
      `${'x'.repeat(limits.logTextUnitsMax)}…(${limits.logTextUnitsMax + 1})`,
    );
  });

  it('fields are logDepthMax deep and logEntriesMax wide', () => {
    const nest = (depth: number): unknown => (depth === 0 ? 'end' : { in: nest(depth - 1) });
    expect(logged((logger) => logger.info('e', { a: nest(limits.logDepthMax) }))).toContain('end');
    expect(logged((logger) => logger.info('e', { a: nest(limits.logDepthMax + 1) }))).toContain('[deeper]');
    const wide = (count: number): number => {
      const line = parsed((logger) => logger.info('e', { list: Array.from({ length: count }, () => 1) }));
      return (line['list'] as unknown[]).filter((item) => item === 1).length;
    };
    expect([wide(limits.logEntriesMax), wide(limits.logEntriesMax + 1)]).toEqual([
      limits.logEntriesMax,
      limits.logEntriesMax,
    ]);
    // The same of what stands beside each other by name, and of errors that caused each other.
    const fields = (count: number) =>
      parsed((logger) =>
        logger.info('e', { of: Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, n])) }),
      )['of'] as object;
    expect([Object.keys(fields(limits.logEntriesMax)), fields(limits.logEntriesMax + 1)]).toEqual([
      expect.not.arrayContaining(['…']),
      expect.objectContaining({ '…': 1 }),
    ]);
    expect(Object.keys(fields(limits.logEntriesMax))).toHaveLength(limits.logEntriesMax);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(logged((logger) => logger.info('e', cycle))).toContain('[deeper]');
  });
});

describe('a log file', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'peerai-log-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is put aside at its size, so many are kept, no line is lost or halved, and all are 0600', () => {
    const file = join(folder, 'logs', 'peerai.log');
    const rotate = { size: 1_000, keep: 3 };
    const first = createLogger({ level: 'info', format: 'auto', file, rotate });
    for (let n = 0; n < 20; n += 1) first.info('event', { n });
    first.close();
    const second = createLogger({ level: 'info', format: 'json', file, rotate });
    for (let n = 20; n < 60; n += 1) second.info('event', { n });
    second.close();
    second.close();
    expect(readdirSync(join(folder, 'logs')).sort()).toEqual([
      'peerai.log',
      'peerai.log.1',
      'peerai.log.2',
      'peerai.log.3',
    ]);
    const numbers: number[] = [];
    for (const suffix of ['.3', '.2', '.1', '']) {
      expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
      expect(statSync(file + suffix).size).toBeLessThanOrEqual(1_000);
      const lines = readFileSync(file + suffix, 'utf8')
        .trimEnd()
        .split('\n');
      numbers.push(...lines.map((line) => (JSON.parse(line) as { n: number }).n));
    }
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 60 - numbers.length + index));
    expect(numbers.length).toBeGreaterThan(30);
  });

  it('begins anew when none is kept, and keeps at most logFilesKeptMax', () => {
    const file = join(folder, 'a.log');
    const logger = createLogger({ level: 'info', format: 'json', file, rotate: { size: 1, keep: 0 } });
    for (let n = 0; n < 5; n += 1) logger.info('event', { n });
    logger.close();
    expect([readdirSync(folder), (JSON.parse(readFileSync(file, 'utf8')) as { n: number }).n]).toEqual([['a.log'], 4]);
    const many = createLogger({
      level: 'info',
      format: 'json',
      file,
      rotate: { size: 1, keep: limits.logFilesKeptMax + 1 },
    });
    for (let n = 0; n < limits.logFilesKeptMax + 5; n += 1) many.info('event', { n });
    many.close();
    expect(readdirSync(folder)).toHaveLength(limits.logFilesKeptMax + 1);
  });

  it('that cannot be written costs lines, not the agent, and says how many', () => {
    const file = join(folder, 'deep', 'a.log');
    const logger = createLogger({ level: 'info', format: 'json', file, rotate: { size: 10, keep: 1 } });
    logger.info('one');
    rmSync(join(folder, 'deep'), { recursive: true });
    logger.info('two');
    logger.info('three');
    createLogger({ level: 'info', format: 'json', file: join(folder, 'deep', 'b.log') }).close();
    logger.info('four');
    logger.close();
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('"event":"log-lines-dropped","count":2');
    expect(text).toContain('"event":"four"');
  });
});
