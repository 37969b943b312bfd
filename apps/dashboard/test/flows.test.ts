import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityViolations, openBrowser, visit, withToken } from './browser.ts';
import { builtPages } from './builds.ts';
import { startFixtureAgent, type FixtureAgent } from './fixture-agent.ts';

describe('By keyboard alone, the owner can', () => {
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

  async function at(path: string): Promise<Page> {
    const visited = await visit(context, withToken(agent.url, path));
    ({ complaints } = visited);
    return visited.page;
  }

  it('skip to the content', async () => {
    const page = await at('/');
    await page.getByRole('region', { name: 'Devices' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  });

  it('ask a model and see who answered, over which path, signed', async () => {
    const page = await at('/chat');
    await page.getByRole('textbox').press('H');
    await page.keyboard.type('ow salty is the sea?');
    await page.keyboard.press('Enter');
    const foot = page.getByRole('button', { name: /study-pc · direct · 42 tok\/s · signed ✓/ });
    await foot.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Where this answer came from' });
    await sheet.getByText('study-pc signed what it used, and this device countersigned').waitFor();
    await sheet.getByText('What this does not prove').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await foot.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.reload();
    await page.getByText('You asked: How salty is the sea?').waitFor();
  });

  it('give a task, see it come in the list, read a result and cancel one', async () => {
    const page = await at('/tasks');
    await page.getByRole('textbox', { name: 'What to do' }).fill('Water the plants');
    await page.getByRole('combobox', { name: 'Kind' }).selectOption('research');
    await page.getByRole('button', { name: 'Give it' }).press('Enter');
    const given = page.getByRole('region', { name: 'Given and taken' });
    await given.getByText('Water the plants').waitFor();
    await given.getByText('on its way').waitFor();
    await page.getByRole('button', { name: 'Show Compare the three heat pumps' }).press('Enter');
    await page.getByRole('dialog').getByText('The second one is the quietest.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show Summarise the minutes' }).press('Enter');
    await page.getByRole('button', { name: 'Cancel this task' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'stopping' }).waitFor();
    const done = agent.state.tasks.find(({ id }) => id === 't2running');
    if (done === undefined) throw new Error('the fixture has this task');
    agent.send({
      type: 'task-changed',
      task: { ...done, cancelling: false, status: 'cancelled', endedMs: Date.now() },
    });
    await page.getByRole('dialog').getByText('cancelled').waitFor();
  });

  it('send a message and see one come', async () => {
    const page = await at('/messages');
    await page.getByRole('textbox', { name: 'Message' }).fill('dinner is ready');
    await page.getByRole('button', { name: 'Send' }).press('Enter');
    await page.getByText('study-pc has it.').waitFor();
    const message = { id: 'm3', from: '12D3KooWPixel', fromName: 'pixel', kind: 'text', sentMs: Date.now() };
    agent.send({ type: 'message-received', message: { ...message, payload: 'on my way' } });
    await page.getByText('on my way').waitFor();
  });

  it('make a group, write to it, see it arrive, and remove a device', async () => {
    const page = await at('/groups');
    await page.getByRole('button', { name: 'New group' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'New group' });
    await sheet.getByRole('textbox', { name: 'Name' }).fill('Garden');
    expect(await sheet.getByRole('checkbox', { name: /attic-nas/ }).isDisabled()).toBe(true);
    await sheet.getByRole('checkbox', { name: 'study-pc' }).press('Space');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Make the group' }).press('Enter');
    await sheet.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    await page.getByRole('textbox', { name: 'Write to Garden' }).fill('The roses need water.');
    await page.keyboard.press('Enter');
    await page.getByText('it has arrived').waitFor();
    const message = { id: 'gm5', group: 'aa09'.repeat(8), groupName: 'Garden', kind: 'text', sentMs: Date.now() };
    const from = { from: '12D3KooWStudy', fromName: 'study-pc' };
    agent.send({ type: 'group-message-received', message: { ...message, ...from, payload: 'They have it.' } });
    await page.getByRole('log').getByText('They have it.').waitFor();
    await page.getByRole('button', { name: 'Remove study-pc' }).press('Enter');
    await page.getByRole('button', { name: 'Remove study-pc now' }).press('Enter');
    await page.getByText('You are the only one in it.').waitFor();
    await page.getByRole('button', { name: 'Leave' }).press('Enter');
    await page.getByRole('button', { name: 'Leave this group' }).press('Enter');
    await page.getByText('Choose a group').waitFor();
  });

  it('open a group by its address, and hear of it when it is gone', async () => {
    const [kitchen] = agent.state.groups;
    if (kitchen === undefined) throw new Error('the fixture has a group');
    const page = await at(`/groups?id=${kitchen.id}`);
    await page.getByText('Who has the notes of Monday?').waitFor();
    agent.send({
      type: 'group-changed',
      groupId: kitchen.id,
      group: { ...kitchen, members: kitchen.members.slice(0, 2) },
    });
    await page.getByText('2 members').waitFor();
    agent.send({ type: 'group-changed', groupId: kitchen.id, group: null });
    await page.getByText('You are not in this group, or not any more.').waitFor();
  });

  it('write a document’s values and text while others write them, and lose nothing unseen', async () => {
    const page = await at('/documents');
    await page.getByRole('link', { name: /^Minutes/ }).press('Enter');
    await page.getByRole('button', { name: 'Edit rounds' }).press('Enter');
    const value = page.getByRole('textbox', { name: 'Value' }).first();
    await value.fill('four');
    await page.getByRole('alert').getByText('This is not JSON.').waitFor();
    expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
    await value.fill('4');
    const [minutes] = agent.state.documents;
    if (minutes === undefined) throw new Error('the fixture has a document');
    // Another device writes the same key, another one, and the text.
    agent.state.documents[0] = {
      ...minutes,
      values: { ...minutes.values, rounds: 9, title: 'Second round' },
      text: 'At ten.',
    };
    agent.send({ type: 'state-changed', documentId: minutes.document.id, keys: ['rounds', 'title'], text: true });
    await page.getByText('Second round').waitFor();
    await page.getByText('Now it is: 9').waitFor();
    expect(await page.getByRole('textbox', { name: 'Text of the document' }).inputValue()).toBe('At ten.');
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Edit rounds' }).waitFor();
    expect(agent.state.documents[0]?.values['rounds']).toBe(4);
    const text = page.getByRole('textbox', { name: 'Text of the document' });
    await text.fill('At ten, in the kitchen.');
    await page.getByText('Not saved yet.').waitFor();
    agent.state.documents[0] = { ...agent.state.documents[0], text: 'At eleven.' };
    agent.send({ type: 'state-changed', documentId: minutes.document.id, keys: [], text: true });
    await page.getByText('The text changed while you were writing').waitFor();
    await page.getByRole('button', { name: 'Drop mine, show theirs' }).press('Enter');
    expect(await text.inputValue()).toBe('At eleven.');
    await text.fill('At twelve.');
    await page.getByRole('button', { name: 'Save the text' }).press('Enter');
    await page.getByText('Saved.').waitFor();
    expect(agent.state.documents[0].text).toBe('At twelve.');
  });

  it('add a key, remove one, share a document, and delete it here', async () => {
    const page = await at('/documents');
    await page.getByRole('button', { name: 'New document' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'New document' });
    await sheet.getByRole('textbox', { name: 'Name' }).fill('Recipes');
    await sheet.getByRole('button', { name: 'A group' }).press('Enter');
    await sheet.getByRole('combobox', { name: 'Group' }).selectOption('Kitchen table');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Devices' }).press('Enter');
    await sheet.getByRole('checkbox', { name: 'study-pc' }).press('Space');
    await sheet.getByRole('button', { name: 'Make the document' }).press('Enter');
    await page.getByRole('heading', { name: 'Recipes' }).waitFor();
    await page.getByRole('textbox', { name: 'Key' }).fill('soup');
    await page.getByRole('textbox', { name: 'Value' }).fill('42');
    await page.getByRole('button', { name: 'Add', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Edit soup' }).waitFor();
    // A text that looks like a number stays a text.
    expect(agent.state.documents.at(-1)?.values).toEqual({ soup: '42' });
    await page.getByRole('button', { name: 'Remove soup' }).press('Enter');
    await page.getByRole('button', { name: 'Remove soup now' }).press('Enter');
    await page.getByText('No keys yet.').waitFor();
    await page.getByRole('combobox', { name: 'Share with another device' }).selectOption('pixel');
    await page.getByRole('button', { name: 'Share', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Stop sharing with pixel' }).press('Enter');
    await page.getByRole('button', { name: 'Stop sharing with pixel now' }).press('Enter');
    await page.getByRole('button', { name: 'Delete here' }).press('Enter');
    await page.getByRole('button', { name: 'Delete it here' }).press('Enter');
    await page.getByText('Choose a document').waitFor();
    expect(agent.state.documents.map(({ document }) => document.name)).not.toContain('Recipes');
  });

  it('stop an answer and keep what was said', async () => {
    const page = await at('/chat');
    await page.getByRole('textbox').fill('endless please');
    await page.keyboard.press('Enter');
    await page.getByText('You asked: endless').waitFor();
    await page.getByRole('button', { name: 'Stop' }).press('Enter');
    await page.getByText('Stopped by you. This part is kept.').waitFor();
    await page.getByText('You asked: endless').waitFor();
  });

  it('keep a broken answer, and ask another model the same', async () => {
    const page = await at('/chat');
    await page.getByRole('textbox').fill('please break');
    await page.keyboard.press('Enter');
    await page.getByText('study-pc broke off in the middle of the answer').waitFor();
    await page.getByText('You asked: please break.').waitFor();
    await page.getByRole('button', { name: 'Retry on study-pc' }).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Ask nano', exact: true }).press('Enter');
    await page.getByText('laptop broke off in the middle of the answer').waitFor();
    expect(agent.requests.filter((request) => request === 'POST /chat')).toHaveLength(2);
  });

  it('press a suggestion instead of typing it', async () => {
    const page = await at('/chat');
    await page.getByRole('textbox').fill('unsure');
    await page.keyboard.press('Enter');
    await page
      .getByRole('group', { name: 'Did you mean' })
      .getByRole('button', { name: 'What is a relay?' })
      .press('Enter');
    await page.getByText('You asked: What is a relay?.').waitFor();
  });

  it('hear an answer in sentences', async () => {
    const page = await at('/chat');
    await page.getByRole('textbox').fill('speak');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /signed ✓/ }).waitFor();
    expect(await page.locator('p[aria-live=polite]').textContent()).toBe(
      'The answer comes in words, one after the other.',
    );
  });

  it('make a share link, see its code, and stop it', async () => {
    const page = await at('/shares');
    await page.getByLabel('Tokens').fill('0');
    await page.getByRole('alert').getByText('A whole number from 1').waitFor();
    await page.getByLabel('Tokens').fill('5000');
    await page.getByRole('button', { name: 'Make link' }).press('Enter');
    const ready = page.getByRole('region', { name: 'Your link' });
    await ready.getByRole('img', { name: 'QR code of the link' }).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(agent.state.shares[0]?.tokens.budget).toBe(5_000);
    await page.getByRole('button', { name: 'Stop', exact: true }).first().press('Enter');
    await page.getByRole('button', { name: 'Stop this link' }).press('Enter');
    await page.getByText('stopped', { exact: true }).waitFor();
    expect(agent.requests).toContain('DELETE /shares/s3');
  });

  it('is told before copying that a link reaches only this network', async () => {
    agent.state.node = { ...agent.state.node, reach: 'lan', relays: [] };
    const page = await at('/shares');
    await page.getByRole('button', { name: 'Make link' }).press('Enter');
    await page.getByText('This link works only on your network').waitFor();
    expect(await page.getByRole('button', { name: 'Copy it anyway' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Show the link' }).press('Enter');
    await page.getByRole('button', { name: 'Copy it anyway' }).waitFor();
  });

  it('invite a device, and copy without a clipboard', async () => {
    await context.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    const page = await at('/');
    await page.getByRole('button', { name: 'Add a device' }).press('Enter');
    await page.getByRole('button', { name: 'Make an invite' }).press('Enter');
    await page.getByText(/^peerai join peerai:\/\/join\//).waitFor();
    await page.getByRole('button', { name: 'Copy the command' }).press('Enter');
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('join with a link and wait for the other side', async () => {
    const page = await at('/');
    await page.getByRole('button', { name: 'Add a device' }).press('Enter');
    await page.getByLabel('Invite link').fill('peerai://join/abcdefgh');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Pairing with study-pc' }).getByText('Say yes on study-pc').waitFor();
    const [pending] = agent.state.pending;
    if (pending !== undefined) agent.send({ type: 'pairing-changed', pairing: { ...pending, state: 'accepted' } });
    await page.getByText('study-pc is paired.').waitFor();
  });

  it('change what a device may do, ping, rename, block it and undo that', async () => {
    const page = await at('/');
    await page.getByRole('button', { name: /^lab-nuc/ }).press('Enter');
    const sheet = page.getByRole('dialog');
    await sheet.getByLabel('Train together').press('Space');
    await expect
      .poll(() => agent.state.peers.find(({ peerId }) => peerId === '12D3KooWNuc')?.allow)
      .toEqual(['chat', 'train']);
    await sheet.getByRole('button', { name: 'Ping' }).press('Enter');
    await sheet.getByText('Answered in 7.9 ms, direct.').waitFor();
    await sheet.getByRole('button', { name: 'Rename' }).press('Enter');
    await sheet.getByLabel('Name').fill('lab-box');
    await page.keyboard.press('Enter');
    await sheet.getByRole('heading', { name: 'lab-box', exact: true }).waitFor();
    await sheet.getByRole('button', { name: 'Block' }).press('Enter');
    await sheet.getByText('lab-box is blocked.').waitFor();
    await sheet.getByRole('button', { name: 'Undo' }).press('Enter');
    await sheet.getByText('What lab-box may do here').waitFor();
  });

  it('verify the ledger and hide a model from other devices', async () => {
    const page = await at('/doctor');
    await page.getByRole('button', { name: 'Verify all' }).press('Enter');
    await page.getByText('The log is intact.').waitFor();
    await page.getByRole('link', { name: 'Models' }).first().press('Enter');
    const offer = page.getByRole('switch', { name: 'Offer nano to paired devices' });
    await offer.press('Space');
    await expect.poll(() => agent.state.models.models.find(({ name }) => name === 'nano')?.exposed).toBe(false);
    await expect.poll(() => offer.isChecked()).toBe(false);
  });

  it('take the first steps, which tick themselves', async () => {
    agent.state.peers = [];
    agent.state.ledger = { ...agent.state.ledger, size: 0 };
    const page = await at('/');
    const steps = page.getByRole('region', { name: 'First steps' });
    await steps.getByText('Model found: nano').waitFor();
    await page.getByText('You’re the only device.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await steps.getByRole('link', { name: 'Ask something' }).press('Enter');
    await page.getByRole('button', { name: 'What can PeerAI do?' }).press('Enter');
    await page.getByRole('button', { name: /evidence/ }).waitFor();
    await page.getByRole('link', { name: 'Home' }).first().press('Enter');
    await steps
      .getByRole('listitem')
      .filter({ hasText: 'First message' })
      .getByText('done')
      .waitFor({ state: 'attached' });
    await steps.getByRole('button', { name: 'Hide' }).press('Enter');
    await steps.waitFor({ state: 'detached' });
  });
});
