import { type Browser, openBrowser } from '@peerai/config/tab';
import { startTestnet } from '@peerai/testnet';

const stepMs = 20_000;
/** The first text of an answer on the guest's page. */
const answerText = 'article.turn p.said';
/** Run in the page: its time now, and when its load event ended. */
const nowAndLoaded = "[performance.now(), performance.getEntriesByType('navigation')[0].loadEventEnd]";

export interface GuestTimes {
  /** From the page's load event to the first text of the answer, milliseconds, one a fresh guest. */
  readonly firstTokenMs: readonly number[];
}

/** A relay, a provider and a tab with a share link: each round is a new guest with an empty browser. */
export async function guestTimes(rounds: number, signal: AbortSignal): Promise<GuestTimes> {
  const testnet = await startTestnet({
    agents: 1,
    relays: 1,
    engine: 'scripted',
    names: ['provider'],
    env: { PEERAI_LOGGING__LEVEL: 'warn' },
  });
  let browser: Browser | undefined;
  try {
    browser = await openBrowser();
    const share = await testnet.agents[0]?.client.share({ model: 'echo', guests: rounds + 1 });
    if (share === undefined) throw new Error('one agent was asked for');
    const firstTokenMs: number[] = [];
    for (let round = -1; round < rounds; round += 1) {
      signal.throwIfAborted();
      const ms = await oneGuest(browser, share.link);
      if (round >= 0) firstTokenMs.push(ms);
    }
    return { firstTokenMs };
  } finally {
    await browser?.close();
    await testnet.stop();
  }
}

async function oneGuest(browser: Browser, link: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(stepMs);
    await page.goto(link, { waitUntil: 'load' });
    await page.getByRole('textbox').fill('hello');
    await page.keyboard.press('Enter');
    await page.locator(answerText).first().waitFor();
    const [seenMs, loadMs] = await page.evaluate<[number, number]>(nowAndLoaded);
    return seenMs - loadMs;
  } finally {
    await context.close();
  }
}
