import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { hashAtStudy } from './fixture-cache.ts';
import { ownerPages } from './owner.ts';

describe('By keyboard alone, the owner can', () => {
  const owner = ownerPages();
  const { at } = owner;

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

  it('let a question use what is remembered, and see what that was', async () => {
    const page = await at('/chat');
    await page.getByLabel('Use my memory').press('Space');
    await page.getByRole('textbox').fill('How salty is the sea?');
    await page.keyboard.press('Enter');
    await page.getByText('it is told public texts only').waitFor();
    await page.getByText('[1] The sea has 35 grams of salt a litre from study-pc · public · found by words').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('textbox').fill('And nothing?');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing remembered here that it may be told fits the question.').waitFor();
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
    const done = owner.agent.state.tasks.find(({ id }) => id === 't2running');
    if (done === undefined) throw new Error('the fixture has this task');
    owner.agent.send({
      type: 'task-changed',
      task: { ...done, cancelling: false, status: 'cancelled', endedMs: Date.now() },
    });
    await page.getByRole('dialog').getByText('cancelled').waitFor();
  });

  it('ask a device what it can, wake its model, agree on a session, try every way, and look for a model', async () => {
    const page = await at('/');
    await page.getByRole('button', { name: /^study-pc/ }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'study-pc' });
    await sheet.getByRole('button', { name: 'What can it do?' }).press('Enter');
    await sheet.getByText('text, task_delegate').waitFor();
    await sheet.getByRole('button', { name: 'Wake mistral' }).press('Enter');
    await sheet.getByText('It is awake.').waitFor();
    await sheet.getByRole('button', { name: 'New session' }).press('Enter');
    await sheet.getByText('Agreed in 3 steps: aes-256-gcm').waitFor();
    await sheet.getByText('One session is open').waitFor();
    await sheet.getByRole('button', { name: 'Try every way' }).press('Enter');
    await sheet.getByText('The machine refuses.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Models' }).first().press('Enter');
    await page.getByRole('textbox', { name: 'Model' }).fill('mistral');
    await page.getByRole('button', { name: 'Look' }).press('Enter');
    await page.getByText('2 peers say they serve mistral').waitFor();
    await page.getByText('a stranger: pair with it').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('walk the network, and let an older peer give tasks, and not any more', async () => {
    const page = await at('/doctor');
    await page.getByRole('button', { name: 'Walk the network' }).press('Enter');
    await page.getByText('does not answer').waitFor();
    const older = page.getByRole('region', { name: 'Older peers' });
    await older.getByRole('button', { name: 'Let entity-a give tasks' }).press('Enter');
    await older.getByText('May give tasks to this device.').waitFor();
    expect(await older.getByRole('button', { name: 'Let entity-b give tasks' }).isDisabled()).toBe(true);
    expect(await accessibilityViolations(page)).toEqual([]);
    await older.getByRole('button', { name: 'No more tasks from entity-a' }).press('Enter');
    await older.getByText('Sends messages only.').waitFor();
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
    expect(owner.agent.requests.filter((request) => request === 'POST /chat')).toHaveLength(2);
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
    expect(owner.agent.state.shares[0]?.tokens.budget).toBe(5_000);
    await page.getByRole('button', { name: 'Stop', exact: true }).first().press('Enter');
    await page.getByRole('button', { name: 'Stop this link' }).press('Enter');
    await page.getByText('stopped', { exact: true }).waitFor();
    expect(owner.agent.requests).toContain('DELETE /shares/s3');
  });

  it('is told before copying that a link reaches only this network', async () => {
    owner.agent.state.node = { ...owner.agent.state.node, reach: 'lan', relays: [] };
    const page = await at('/shares');
    await page.getByRole('button', { name: 'Make link' }).press('Enter');
    await page.getByText('This link works only on your network').waitFor();
    expect(await page.getByRole('button', { name: 'Copy it anyway' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Show the link' }).press('Enter');
    await page.getByRole('button', { name: 'Copy it anyway' }).waitFor();
  });

  it('invite a device, and copy without a clipboard', async () => {
    await owner.context.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
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
    const [pending] = owner.agent.state.pending;
    if (pending !== undefined)
      owner.agent.send({ type: 'pairing-changed', pairing: { ...pending, state: 'accepted' } });
    await page.getByText('study-pc is paired.').waitFor();
  });

  it('change what a device may do, ping, rename, block it and undo that', async () => {
    const page = await at('/');
    await page.getByRole('button', { name: /^lab-nuc/ }).press('Enter');
    const sheet = page.getByRole('dialog');
    await sheet.getByLabel('Train together').press('Space');
    await expect
      .poll(() => owner.agent.state.peers.find(({ peerId }) => peerId === '12D3KooWNuc')?.allow)
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
    await expect.poll(() => owner.agent.state.models.models.find(({ name }) => name === 'nano')?.exposed).toBe(false);
    await expect.poll(() => offer.isChecked()).toBe(false);
  });

  it('fetch a file by its hash, see who gave it, and remove what was fetched before', async () => {
    const page = await at('/models');
    const card = page.getByRole('region', { name: 'Fetched by hash' });
    await card.getByText('44.3 MB of 10.0 GB used.').waitFor();
    await card.getByLabel('SHA-256').fill(hashAtStudy);
    await card.getByLabel(/^Name to import/).fill('small-one');
    await card.getByRole('button', { name: 'Fetch', exact: true }).press('Enter');
    await card.getByText('PEER_UNREACHABLE: It is offline').waitFor();
    await card.getByText('Imported as small-one.').waitFor();
    await card.getByRole('button', { name: 'Remove 9c11 85a5' }).press('Enter');
    await card.getByRole('button', { name: 'Remove 9c11 85a5' }).waitFor({ state: 'detached' });
    expect(owner.agent.state.cache.files.map(({ sha256 }) => sha256)).toEqual([hashAtStudy]);
    await card.getByLabel('SHA-256').fill('cd'.repeat(32));
    owner.expectComplaints(/404/);
    await card.getByRole('button', { name: 'Fetch', exact: true }).press('Enter');
    await card.getByText('It was not fetched').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('take the first steps, which tick themselves', async () => {
    owner.agent.state.peers = [];
    owner.agent.state.ledger = { ...owner.agent.state.ledger, size: 0 };
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
