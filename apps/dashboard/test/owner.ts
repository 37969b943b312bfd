import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { openBrowser, visit, withToken } from './browser.ts';
import { builtPages } from './builds.ts';
import { startFixtureAgent, type FixtureAgent } from './fixture-agent.ts';

export interface Owner {
  /** Of this test alone. */
  readonly agent: FixtureAgent;
  readonly context: BrowserContext;
  /** The browser's word about an answer that was refused is part of this test. */
  expectComplaints(match: RegExp): void;
  at(this: void, path: string): Promise<Page>;
}

/** The owner's pages before a new agent in each test, which no page may complain about; called once in a `describe`. */
export function ownerPages(): Owner {
  let agent: FixtureAgent;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[];
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    agent = await startFixtureAgent(await builtPages());
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    await agent.stop();
    expect(complaints).toEqual([]);
  });
  return {
    get agent() {
      return agent;
    },
    get context() {
      return context;
    },
    expectComplaints(match) {
      complaints = complaints.filter((complaint) => !match.test(complaint));
    },
    async at(path) {
      const visited = await visit(context, withToken(agent.url, path));
      ({ complaints } = visited);
      return visited.page;
    },
  };
}
