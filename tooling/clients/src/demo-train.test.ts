import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openChromium } from './browser.ts';

/** How long one step may take on a busy machine, milliseconds; it costs time only when something is wrong. */
const patienceMs = 120_000;
const program = fileURLToPath(new URL('../../../apps/agent/bin/peerai.js', import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
});
afterAll(() => browser?.close());

/** The demo as a person starts it, and what it has said so far. */
function demo(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, 'demo', 'train', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

/** What the page asks before it begins; on a busy machine its first try to reach the demo may come to nothing. */
async function asked(page: Page): Promise<void> {
  const heading = page.getByRole('heading', { name: 'study-pc asks you to help train spirals' });
  const again = page.getByRole('button', { name: 'Try again' });
  while (!(await heading.isVisible())) {
    await heading.or(again).first().waitFor();
    if (await again.isVisible()) await again.click();
  }
}

test(
  'three peers and a tab train one model: the tab opens the link that the demo prints',
  { timeout: 3 * patienceMs },
  async () => {
    const { child, said, ended } = demo('--tab', '--rounds', '12');
    try {
      const linkIn = (): string => /^ +(http:\/\/127\.0\.0\.1:\d+\/t#\S+)$/m.exec(said.stderr)?.[1] ?? '';
      await vi.waitFor(() => expect(linkIn()).not.toBe(''), { timeout: patienceMs });
      const page = await browser.newPage();
      page.setDefaultTimeout(patienceMs);
      await page.goto(linkIn());
      await asked(page);
      await page.getByRole('checkbox').press('Space');
      await page.getByRole('button', { name: 'Train with them' }).press('Enter');
      expect(await ended, said.stderr).toBe(0);
      expect(said.stderr).toContain('A browser tab takes part.');
      expect(said.stderr).toContain('4 members, 1 browser tab among them');
      expect(said.stdout).toMatch(/^browser tab +counted in 12 rounds$/m);
      expect(said.stdout).toMatch(/^phone .* 12 rounds stated, verified ✓$/m);
      expect(said.stdout).toContain('✓ all three hold the same model');
    } finally {
      child.kill('SIGINT');
    }
  },
);
