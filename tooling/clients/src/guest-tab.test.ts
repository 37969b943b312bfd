import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type GuestPlace, guestPlace } from './browser.ts';

let place: GuestPlace;
let browser: Browser;
let testnet: Testnet;
let provider: RunningAgent;

beforeAll(async () => {
  place = await guestPlace();
  testnet = await startTestnet({
    agents: 1,
    relays: 1,
    engine: 'scripted',
    env: {},
    names: ['study-pc'],
    host: place.host,
  });
  const [first] = testnet.agents;
  if (first === undefined) throw new Error('one agent was asked for');
  provider = first;
  browser = await place.launch();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await testnet?.stop();
  place?.leave();
}, 30_000);

/** A link opened in a fresh tab of a fresh profile: a guest nobody has seen. */
async function openLink(link: string): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(link);
  return { page, problems };
}

async function ask(page: Page, text: string): Promise<void> {
  const box = page.locator('textarea').first();
  await box.fill(text);
  await box.press('Enter');
}
const says = (page: Page, text: RegExp | string, timeoutMs = 15_000) =>
  page.getByText(text).first().waitFor({ timeout: timeoutMs });

describe('A guest with a link', () => {
  test('asks the remote model from another place in the network; the answer is signed by both', async () => {
    const { link, id } = await provider.client.share({ model: 'echo', tokens: 2_000 });
    expect(link.startsWith(`http://${place.host}:`)).toBe(true);
    const { page, problems } = await openLink(link);
    await ask(page, 'hello from afar');
    await says(page, 'echo: hello from afar');
    await says(page, /study-pc · (?:direct|relayed) .*signed ✓/);
    await vi.waitFor(async () => {
      const share = (await provider.client.shares()).find((one) => one.id === id);
      expect(share?.guests).toHaveLength(1);
      expect(share?.tokens).toMatchObject({ used: 7, reserved: 0 });
    });
    expect((await provider.client.verifyLedger()).ok).toBe(true);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('reads a plain refusal when the link was stopped', async () => {
    const { link, id } = await provider.client.share({ model: 'echo' });
    await provider.client.stopShare(id);
    const { page } = await openLink(link);
    await says(page, 'study-pc ended this link');
    await page.context().close();
  });

  test('keeps the partial answer when the provider dies, and goes on with it when it is back', async () => {
    const { link, id } = await provider.client.share({ model: 'echo-slow', tokens: 5_000 });
    const { page } = await openLink(link);
    await ask(page, 'first');
    await says(page, /signed ✓/);
    const before = (await provider.client.shares()).find((one) => one.id === id)?.tokens.used;
    await ask(page, Array.from({ length: 100 }, (_, index) => `w${index}`).join(' '));
    await says(page, /echo: w0 w1 w2/);
    await provider.child.kill();
    await says(page, /went away|gone|lost|offline|reach/i, 30_000);
    expect(await page.locator('body').innerText()).toContain('echo: w0 w1 w2');
    provider = await provider.restart();
    const again = (await provider.client.shares()).find((one) => one.id === id);
    expect(again?.tokens).toMatchObject({ used: before, reserved: 0 });
    const fresh = await openLink(link);
    await ask(fresh.page, 'back again');
    await says(fresh.page, 'echo: back again', 30_000);
    await page.context().close();
    await fresh.page.context().close();
  }, 90_000);

  test('goes on over the direct path when the relay is killed', async () => {
    const { link } = await provider.client.share({ model: 'echo' });
    const { page } = await openLink(link);
    await ask(page, 'one');
    await says(page, /study-pc · direct .*signed ✓/, 20_000);
    await testnet.relays[0]?.child.kill();
    await ask(page, 'two');
    await says(page, 'echo: two');
    await page.context().close();
  }, 60_000);
});
