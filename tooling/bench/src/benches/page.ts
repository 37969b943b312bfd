import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bench, notMeasured, type Result, resultOf } from '../harness.ts';
import { limits } from '../limits.ts';
import { guestTimes } from '../page/first-token.ts';
import { filesOf, gzipKb, type Manifest, notForGuests } from '../page/sizes.ts';
import { builtFile } from '../programs.ts';

const goals = { ownerKb: 150, guestKb: 190, firstTokenMs: 1_000 };
const sizeUnit = 'kB gzip';

/** How much do the dashboard and a guest’s page bring, and how soon does a guest see a first token? */
export const page: Bench = {
  name: 'page',
  async run({ signal, log }) {
    const sizes = await sizeResults();
    log('starting a relay, an agent and Chromium');
    const row = {
      case: 'first token after the page’s load, loopback',
      unit: 'ms',
      goal: goals.firstTokenMs,
      rule: 'candidate-at-most',
    } as const;
    try {
      const { firstTokenMs } = await guestTimes(limits.roundsMin, signal);
      return { results: [...sizes, resultOf({ ...row, candidate: firstTokenMs })], notes: [timeNote] };
    } catch (error) {
      signal.throwIfAborted();
      return {
        results: [...sizes, notMeasured(row)],
        notes: [`First token: ${(error as Error).message.split('\n')[0]}`],
      };
    }
  },
};

const timeNote = 'Each round a new guest with an empty browser; the question is sent as soon as the page can take it.';

async function sizeResults(): Promise<readonly Result[]> {
  const folder = dirname(builtFile(import.meta.resolve('@peerai/dashboard/package.json'), 'index.html'));
  const manifest = JSON.parse(await readFile(join(folder, '.vite/manifest.json'), 'utf8')) as Manifest;
  const owner = new Set([...filesOf(manifest, 'index.html', false), ...filesOf(manifest, 'src/home/page.tsx', false)]);
  const ownerScripts = [...owner].filter((file) => file.endsWith('.js'));
  const guest = [...filesOf(manifest, 'share.html', true, notForGuests), 'share.html', 'theme.js'];
  const size = async (name: string, files: readonly string[], goal: number): Promise<Result> => {
    const candidate = await gzipKb(folder, files);
    return {
      case: name,
      ratio: null,
      goal,
      pass: candidate <= goal,
      baseline: null,
      candidate,
      unit: sizeUnit,
      rule: 'candidate-at-most',
    };
  };
  return [
    await size('dashboard, scripts of the first page', ownerScripts, goals.ownerKb),
    await size('guest’s page, everything to the first answer', guest, goals.guestKb),
  ];
}
