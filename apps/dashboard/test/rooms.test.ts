import { readFile } from 'node:fs/promises';
import type { DocumentContents } from '@peerai/peer/control';
import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { ownerPages } from './owner.ts';

describe('In messages, groups, documents and names the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('send a message and see one come', async () => {
    const page = await at('/messages');
    await page.getByRole('textbox', { name: 'Message' }).fill('dinner is ready');
    await page.getByRole('button', { name: 'Send' }).press('Enter');
    await page.getByText('study-pc has it.').waitFor();
    const message = { id: 'm3', from: '12D3KooWPixel', fromName: 'pixel', kind: 'text', sentMs: Date.now() };
    owner.agent.send({ type: 'message-received', message: { ...message, payload: 'on my way' } });
    await page.getByText('on my way').waitFor();
    await page.getByRole('combobox', { name: 'To' }).selectOption('All devices');
    await page.getByRole('textbox', { name: 'Message' }).fill('dinner is over');
    await page.getByRole('button', { name: 'Send' }).press('Enter');
    const each = page.getByRole('list', { name: 'Each device' });
    await each
      .getByRole('listitem')
      .filter({ hasText: 'attic-nas' })
      .getByText('waits here until it is back')
      .waitFor();
    await page.getByText('3 of 4 devices have it.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('send a file, see how far it is, cancel it, and save one that came', async () => {
    const page = await at('/messages');
    await page.getByText('File: holiday photos from the lake.zip, 31.4 MB').waitFor();
    await page.getByRole('link', { name: 'See it in Files' }).press('Enter');
    const list = page.getByRole('region', { name: 'Sent and received' });
    await list.getByRole('img', { name: 'minutes.pdf: 38 %' }).waitFor();
    await page.getByRole('combobox', { name: 'To' }).selectOption('attic-nas');
    await page
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.alloc(2_000_000) });
    await page.getByRole('button', { name: 'Send' }).press('Enter');
    await page.getByText('notes.txt is on its way').waitFor();
    expect(owner.agent.requests).toContain('POST /files');
    const [sent] = owner.agent.state.files;
    if (sent === undefined) throw new Error('nothing was sent');
    expect(sent.bytes).toBe(2_000_000);
    owner.agent.send({ type: 'file-changed', file: { ...sent, movedBytes: 1_000_000 } });
    await list.getByRole('img', { name: 'notes.txt: 50 %' }).waitFor();
    await list.getByRole('button', { name: 'Cancel notes.txt' }).press('Enter');
    await list.getByRole('button', { name: 'Cancel notes.txt' }).waitFor({ state: 'detached' });
    expect(owner.agent.requests).toContain(`DELETE /files/${sent.id}`);

    const saving = page.waitForEvent('download');
    await list.getByRole('button', { name: 'Download holiday' }).press('Enter');
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('holiday photos from the lake.zip');
    expect(await readFile(await saved.path(), 'utf8')).toBe('what is in the file');
    const holiday = list.getByRole('listitem').filter({ hasText: 'holiday' });
    await holiday.getByText('Details', { exact: true }).press('Enter');
    await holiday.getByText('9c1185a5c5e9fc54').waitFor();
    await list.getByRole('button', { name: 'Remove holiday' }).press('Enter');
    expect(await accessibilityViolations(page)).toEqual([]);
    await list.getByRole('button', { name: 'Remove it now' }).press('Enter');
    await list.getByText('removed here').waitFor();
  });

  it('is told why a file is not sent, and opens the form for a device from its sheet', async () => {
    const page = await at('/');
    await page
      .getByRole('button', { name: /^lab-nuc/ })
      .first()
      .click();
    await page.getByRole('link', { name: 'Send a file' }).press('Enter');
    const device = page.getByRole('combobox', { name: 'To' });
    await device.waitFor();
    expect(await device.inputValue()).toBe('12D3KooWNuc');
    owner.agent.refusals.set('POST /files', { status: 507, code: 'LIMIT_REACHED', detail: 'too many files wait' });
    owner.expectComplaints(/507/);
    await page
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await page.getByRole('button', { name: 'Send' }).press('Enter');
    await page.getByText('Too many files wait.').waitFor();
    owner.expectComplaints(/507/);
  });

  it('listen to a topic, say something in it, and hear when listening ended', async () => {
    const page = await at('/messages');
    await page.getByRole('textbox', { name: 'Topic' }).fill('no topic!');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('button', { name: 'Listen' }).isVisible()).toBe(true);
    await page.getByRole('textbox', { name: 'Topic' }).fill('news');
    await page.keyboard.press('Enter');
    const heard = page.getByRole('log', { name: 'Heard' });
    await heard.getByText('The relay has moved.').waitFor();
    await page.getByRole('textbox', { name: 'Say something in news' }).fill('Thanks');
    await page.keyboard.press('Enter');
    await heard.getByText('Thanks').waitFor();
    expect(owner.agent.requests).toContain('POST /topics/news');
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop listening' }).press('Enter');
    await page.getByRole('textbox', { name: 'Topic' }).fill('silent');
    await page.keyboard.press('Enter');
    await page.getByText('Listening ended').first().waitFor();
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.getByText('Listening ended').first().waitFor();
    expect(owner.agent.requests.filter((request) => request === 'GET /topics/silent')).toHaveLength(2);
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
    owner.agent.send({ type: 'group-message-received', message: { ...message, ...from, payload: 'They have it.' } });
    await page.getByRole('log').getByText('They have it.').waitFor();
    await page.getByRole('button', { name: 'Remove study-pc' }).press('Enter');
    await page.getByRole('button', { name: 'Remove study-pc now' }).press('Enter');
    await page.getByText('You are the only one in it.').waitFor();
    await page.getByRole('button', { name: 'Leave' }).press('Enter');
    await page.getByRole('button', { name: 'Leave this group' }).press('Enter');
    await page.getByText('Choose a group').waitFor();
  });

  it('open a group by its address, and hear of it when it is gone', async () => {
    const [kitchen] = owner.agent.state.groups;
    if (kitchen === undefined) throw new Error('the fixture has a group');
    const page = await at(`/groups?id=${kitchen.id}`);
    await page.getByText('Who has the notes of Monday?').waitFor();
    owner.agent.send({
      type: 'group-changed',
      groupId: kitchen.id,
      group: { ...kitchen, members: kitchen.members.slice(0, 2) },
    });
    await page.getByText('2 members').waitFor();
    owner.agent.send({ type: 'group-changed', groupId: kitchen.id, group: null });
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
    const written = (): DocumentContents => {
      const [first] = owner.agent.state.documents;
      if (first === undefined) throw new Error('the fixture has a document');
      return first;
    };
    const minutes = written();
    // Another device writes the same key, another one, and the text.
    owner.agent.state.documents[0] = {
      ...minutes,
      values: { ...minutes.values, rounds: 9, title: 'Second round' },
      text: 'At ten.',
    };
    owner.agent.send({ type: 'state-changed', documentId: minutes.document.id, keys: ['rounds', 'title'], text: true });
    await page.getByText('Second round').waitFor();
    await page.getByText('Now it is: 9').waitFor();
    const text = page.getByRole('textbox', { name: 'Text of the document' });
    await expect.poll(() => text.inputValue()).toBe('At ten.');
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Edit rounds' }).waitFor();
    expect(written().values['rounds']).toBe(4);
    await text.fill('At ten, in the kitchen.');
    await page.getByText('Not saved yet.').waitFor();
    owner.agent.state.documents[0] = { ...written(), text: 'At eleven.' };
    owner.agent.send({ type: 'state-changed', documentId: minutes.document.id, keys: [], text: true });
    await page.getByText('The text changed while you were writing').waitFor();
    await page.getByRole('button', { name: 'Drop mine, show theirs' }).press('Enter');
    await expect.poll(() => text.inputValue()).toBe('At eleven.');
    await text.fill('At twelve.');
    await page.getByRole('button', { name: 'Save the text' }).press('Enter');
    await page.getByText('Saved.').waitFor();
    expect(written().text).toBe('At twelve.');
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
    expect(owner.agent.state.documents.at(-1)?.values).toEqual({ soup: '42' });
    await page.getByRole('button', { name: 'Remove soup' }).press('Enter');
    await page.getByRole('button', { name: 'Remove soup now' }).press('Enter');
    await page.getByText('No keys yet.').waitFor();
    await page.getByRole('combobox', { name: 'Share with another device' }).selectOption('pixel');
    await page.getByRole('button', { name: 'Share', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Stop sharing with pixel' }).press('Enter');
    await page.getByRole('button', { name: 'Stop sharing with pixel now' }).press('Enter');
    await page.getByRole('button', { name: 'Stop sharing with pixel' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Delete here' }).press('Enter');
    await page.getByRole('button', { name: 'Delete it here' }).press('Enter');
    await page.getByText('Choose a document').waitFor();
    expect(owner.agent.state.documents.map(({ document }) => document.name)).not.toContain('Recipes');
  });

  it('see why a device is refused, for how long, and let it in again', async () => {
    const page = await at('/reputation');
    const note = page.getByText('pixel is refused');
    await note.waitFor();
    await page.getByText('For 1 h 40 min more it gets no link and no answer.').waitFor();
    const pixel = page.getByRole('region', { name: 'pixel' });
    await pixel.getByRole('row', { name: '−0.286 1 proof that it signed two histories of its log' }).waitFor();
    await pixel.getByText('refused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Unblock pixel' }).press('Enter');
    await note.waitFor({ state: 'detached' });
    expect(owner.agent.requests).toContain('DELETE /reputation/12D3KooWPixel/refusal');
    await pixel.getByText('0.01 of 1').waitFor();
  });

  it('see who gets no new lease, and below which score that is', async () => {
    const page = await at('/reputation');
    await page.getByText('Who has less than 0.25 gets no new lease from this device.').waitFor();
    const marked = page.getByRole('region').filter({ has: page.getByText('gets no new lease', { exact: true }) });
    expect(await marked.getByRole('heading').allTextContents()).toEqual(['lab-nuc']);
  });

  it('read that nothing is there yet, that it could not be loaded, and try again', async () => {
    const { state, refusals } = owner.agent;
    [state.groups, state.documents] = [[], []];
    const page = await at('/groups');
    await page.getByText('No groups yet.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    refusals.set('GET /state', { status: 500, code: 'STORE_FAILED', detail: 'the disk is full' });
    await page.getByRole('link', { name: 'Documents' }).first().press('Enter');
    await page.getByText('Documents could not be loaded').waitFor();
    await page.getByText('The disk is full.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    refusals.clear();
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.getByText('No documents yet.').waitFor();
    owner.expectComplaints(/500/);
  });

  it('read why a group takes no more, why a message was not sent, and keep what was written', async () => {
    const { state, refusals } = owner.agent;
    const [kitchen] = state.groups;
    if (kitchen === undefined) throw new Error('the fixture has a group');
    const strangers = Array.from({ length: 29 }, (_, at) => ({ peerId: `12D3KooW${at}`, name: `guest ${at}` }));
    state.groups = [{ ...kitchen, members: [...kitchen.members, ...strangers] }];
    refusals.set(`POST /groups/${kitchen.id}/messages`, { status: 413, code: 'LIMIT_EXCEEDED', detail: 'too long' });
    const page = await at(`/groups?id=${kitchen.id}`);
    await page.getByText('A group has at most 32 members.').waitFor();
    const line = page.getByRole('textbox', { name: 'Write to Kitchen table' });
    await line.fill('a long story');
    await page.keyboard.press('Enter');
    await page.getByText('The message was not sent').waitFor();
    await expect.poll(() => line.inputValue()).toBe('a long story');
    expect(await accessibilityViolations(page)).toEqual([]);
    owner.expectComplaints(/413/);
  });
});
