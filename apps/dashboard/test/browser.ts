import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { token } from './fixture-agent.ts';

export { openBrowser } from '@peerai/config/tab';

/** How long one step of a page may take on a busy machine, milliseconds. */
const stepMs = 10_000;

export type Theme = 'light' | 'dark';
export const sizes = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;

export interface Visit {
  readonly page: Page;
  /** Console errors and policy violations so far. */
  readonly complaints: string[];
}

/** A tab that collects everything the page complains about. */
export async function visit(
  context: BrowserContext,
  url: string,
  { size = 'wide', theme = 'light' }: { readonly size?: keyof typeof sizes; readonly theme?: Theme } = {},
): Promise<Visit> {
  const page = await context.newPage();
  page.setDefaultTimeout(stepMs);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.setViewportSize(sizes[size]);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await page.goto(url);
  return { page, complaints };
}

export const withToken = (url: string, path = '/'): string => `${url}${path}#token=${token}`;

/** Names of the accessibility rules that a page breaks, with the places. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  // One document without frames: the legacy mode needs no second page.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode()
    .options({ resultTypes: ['violations'] })
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}

/** Pixels that stick out to the right. */
export async function overflowPixels(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
