import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient } from '@peerai/peer/control';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { saveModel } from './commands/models-export.ts';
import { openFile } from './open-file.ts';
import { createOutput, type OutputFlags } from './output.ts';
import { bar, byteProgress, CountedFile, percentOf } from './progress-bar.ts';

const place = mkdtempSync(join(tmpdir(), 'peerai-bar-'));
afterAll(() => rmSync(place, { recursive: true }));
const live = (): AbortSignal => AbortSignal.timeout(20_000);

function told() {
  const lines: string[] = [];
  return { lines, output: { progress: (line: string) => void lines.push(line) } };
}
const percents = (lines: readonly string[]): readonly number[] =>
  lines.map((line) => Number(/(\d+) % of 2\.0 MiB$/u.exec(line)?.[1]));

describe('a bar', () => {
  test.each([
    [0, 4, 0, 0],
    [1, 4, 25, 5],
    [999, 1_000, 99, 19],
    [3, 3, 100, 20],
    [0, 0, 100, 20],
    [5, 4, 100, 20],
    [-1, 4, 0, 0],
  ])('of %i of %i is at %i percent, with %i full signs of twenty', (part, whole, percent, full) => {
    expect([percentOf(part, whole), bar(part, whole)]).toEqual([percent, '█'.repeat(full) + '░'.repeat(20 - full)]);
  });

  test('follows a file that is sent to the agent, which gets it whole and with its length', async () => {
    const path = join(place, 'model.onnx');
    const content = Uint8Array.from({ length: 2_097_152 }, (_, at) => at % 251);
    writeFileSync(path, content);
    const heard: { bytes: Uint8Array; headers: IncomingMessage['headers'] }[] = [];
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => void pieces.push(piece));
      request.on('end', () => {
        heard.push({ bytes: new Uint8Array(Buffer.concat(pieces)), headers: request.headers });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    try {
      const client = createControlClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      const { lines, output } = told();
      const file = await openFile(path);
      await client.importModel('m', new CountedFile(file, byteProgress(output, 'm', file.size)), live());
      expect(heard[0]?.headers).toMatchObject({
        'content-length': '2097152',
        'content-type': 'application/octet-stream',
      });
      expect(Buffer.compare(heard[0]?.bytes ?? new Uint8Array(), content)).toBe(0);
      const seen = percents(lines);
      expect(seen.length).toBeGreaterThan(4);
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
      expect(lines.at(-1)).toBe(`m: ${'█'.repeat(20)} 100 % of 2.0 MiB`);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('follows a file that comes from the agent, and is taken away at its end', async () => {
    const piece = new Uint8Array(1_024);
    const exportModel = async () => {
      const content = new Blob(Array.from({ length: 2_048 }, () => piece));
      return { bytes: content.size, content: content.stream(), blob: async () => content };
    };
    const { lines, output } = told();
    const path = join(place, 'out.gguf');
    const wanted = { model: 'm', format: 'gguf', path } as const;
    expect(await saveModel({ exportModel }, wanted, output, live())).toBe(2_097_152);
    expect(readFileSync(path)).toHaveLength(2_097_152);
    const seen = percents(lines.slice(0, -1));
    expect([seen.at(-1), lines.at(-1)]).toEqual([100, '']);
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  });
});

describe('what is drawn', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  test.each<[string, boolean, OutputFlags, boolean]>([
    ['on a terminal', true, {}, true],
    ['where stderr is no terminal', false, {}, false],
    ['with --json', true, { json: true }, false],
    ['with --jsonl', true, { jsonl: true }, false],
    ['with --quiet', true, { quiet: true }, false],
  ])('is a bar or nothing: %s', (_, isTerminal, flags, isDrawn) => {
    vi.stubEnv('CI', undefined);
    const { isTTY, columns } = process.stderr;
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    Object.assign(process.stderr, { isTTY: isTerminal, columns: 80 });
    try {
      byteProgress(createOutput(flags), 'm', 4)(1);
    } finally {
      Object.assign(process.stderr, { isTTY, columns });
    }
    const drawn = write.mock.calls.map(([text]) => String(text)).join('');
    expect(drawn.includes('█████░')).toBe(isDrawn);
    if (!isDrawn) expect(drawn).toBe('');
  });
});
