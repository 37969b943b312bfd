import { readFile } from 'node:fs/promises';
import type { TrainingRunView } from '@peerai/peer/control';
import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { adapterOf, fixtureRound } from './fixture-training.ts';
import { ownerPages } from './owner.ts';

describe('In training the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('start a run over a table of this computer, see a round close, and stop', async () => {
    const page = await at('/train');
    await page.getByRole('button', { name: 'Start a run' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Start a run' });
    const table = { name: 'fish.csv', mimeType: 'text/csv', buffer: Buffer.from('length,species\n1,perch\n') };
    await sheet.getByLabel('File to learn from').setInputFiles(table);
    await sheet.getByText('A table: 515 rows, 4 columns.').waitFor();
    expect(await sheet.getByLabel('Column to tell').inputValue()).toBe('species');
    await sheet.getByText('More settings').press('Enter');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByLabel('Name').fill('Fish again');
    await sheet.getByLabel('Rounds', { exact: true }).fill('7');
    await sheet.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Fish again' }).waitFor();
    await page.getByText('0 of 7 rounds are done').waitFor();
    await page.getByText('The curve begins when the first round has closed.').waitFor();

    const [run] = owner.agent.state.training.runs;
    if (run === undefined) throw new Error('nothing was started');
    owner.agent.send({ type: 'training-round', runId: run.id, round: fixtureRound(0, Date.now()) });
    owner.agent.send({ type: 'training-changed', run: { ...run, state: 'training', round: 1 } });
    await page.getByRole('img', { name: '1 of 7 rounds are done' }).waitFor();
    await page.getByRole('img', { name: /^mean of what members report: from 1\.450/ }).waitFor();
    await page.getByRole('button', { name: 'Stop here' }).press('Enter');
    await page.getByRole('button', { name: 'Stop now' }).press('Enter');
    await page.getByRole('button', { name: 'Remove from the list' }).waitFor();
    expect(owner.agent.requests).toContain(`POST /training/runs/${run.id}/stop`);
  });

  it('start a private run, for which what only an open one has is not asked', async () => {
    const page = await at('/train');
    await page.getByRole('button', { name: 'Start a run' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Start a run' });
    const table = { name: 'fish.csv', mimeType: 'text/csv', buffer: Buffer.from('length,species\n1,perch\n') };
    await sheet.getByLabel('File to learn from').setInputFiles(table);
    await sheet.getByText('More settings').press('Enter');
    await sheet.getByLabel('Bad updates to stand').waitFor();
    await sheet.getByLabel('Who sees updates').selectOption('private');
    await sheet.getByText('a member that wants to can spoil the model').waitFor();
    expect(await sheet.getByLabel('Bad updates to stand').count()).toBe(0);
    await sheet.getByRole('checkbox', { name: 'study-pc' }).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByLabel('Widths of hidden layers').fill('24, 8');
    await sheet.getByLabel('Privacy budget ε of this file').fill('8');
    await sheet.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByText('private: only the sum of all updates is seen').waitFor();
    await page.getByText('laptop, study-pc, lab-nuc').waitFor();
    await page.getByRole('button', { name: 'Stop here' }).press('Enter');
    await page.getByRole('button', { name: 'Stop now' }).press('Enter');
  });

  it('start a run in stages, and see who holds them and who was lost', async () => {
    const page = await at('/train');
    await page.getByRole('button', { name: 'Start a run' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Start a run' });
    const table = { name: 'fish.csv', mimeType: 'text/csv', buffer: Buffer.from('length,species\n1,perch\n') };
    await sheet.getByLabel('File to learn from').setInputFiles(table);
    await sheet.getByText('More settings').press('Enter');
    await sheet.getByLabel('Who sees updates').selectOption('stages');
    await sheet.getByText('Whoever holds the first stage reads what is learned from').waitFor();
    expect(await sheet.getByLabel('Privacy budget ε of this file').count()).toBe(0);
    await sheet.getByRole('checkbox', { name: 'study-pc' }).press('Space');
    await sheet.getByRole('checkbox', { name: 'lab-nuc' }).press('Space');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByText('in stages: devices hold the layers').waitFor();
    await page.getByText('1 layer of the model, with study-pc').waitFor();
    await page.getByText('1 layer of the model, with laptop; lab-nuc was lost (CHANNEL_CLOSED)').waitFor();
    await page.getByText('there is no place for a browser').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop here' }).press('Enter');
    await page.getByRole('button', { name: 'Stop now' }).press('Enter');
  });

  it('start a run over images that lie in a table', async () => {
    const page = await at('/train');
    await page.getByRole('button', { name: 'Start a run' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Start a run' });
    const table = { name: 'digits.csv', mimeType: 'text/csv', buffer: Buffer.from('label,p0\n1,0\n') };
    await sheet.getByLabel('File to learn from').setInputFiles(table);
    await sheet.getByText('A table of 800 rows, each of which can be an image of 28 × 28.').waitFor();
    expect(await sheet.getByLabel('What to train').inputValue()).toBe('conv');
    expect(await sheet.getByLabel('Column to tell').inputValue()).toBe('label');
    await sheet.getByText('More settings').press('Enter');
    await sheet.getByLabel('Filters of each stage').fill('4, 8');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByText('tells label from images of 28 × 28').first().waitFor();
    await page.getByRole('button', { name: 'Stop here' }).press('Enter');
    await page.getByRole('button', { name: 'Stop now' }).press('Enter');
  });

  it('adapt a model to a text, and see which one', async () => {
    const page = await at('/train');
    await page.getByRole('button', { name: 'Start a run' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Start a run' });
    const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('what was cooked') };
    await sheet.getByLabel('File to learn from').setInputFiles(text);
    await sheet.getByLabel('What to train').selectOption('adapter');
    await sheet.getByText('They need that model themselves.').waitFor();
    await sheet.getByLabel('Model to adapt').selectOption('nano');
    await sheet.getByText('More settings').press('Enter');
    await sheet.getByLabel('Rank of the adapter').fill('4');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Start', exact: true }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'notes' }).waitFor();
    await page.getByText('an adapter of rank 4 of nano').first().waitFor();
    await page.getByText('Details').press('Enter');
    await page.getByText('7d'.repeat(32)).waitFor();
    await page.getByRole('button', { name: 'Stop here' }).press('Enter');
    await page.getByRole('button', { name: 'Stop now' }).press('Enter');
  });

  it('join what a device offers only after a yes to what it takes', async () => {
    const page = await at('/train');
    await page.getByText('lab-nuc did not answer (no path to it now).').waitFor();
    await page.getByRole('button', { name: 'See and join Notes of the house' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Join Notes of the house?' });
    await sheet.getByText('This is an open run').waitFor();
    await sheet.getByText('sees each of your updates by itself').waitFor();
    await sheet.getByText('1.7 MB').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('what was cooked') };
    await sheet.getByLabel('File to learn from').setInputFiles(text);
    await sheet.getByRole('button', { name: 'Join' }).press('Enter');
    // The browser asks for the yes.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('accept');
    expect(owner.agent.requests).not.toContain('POST /training/data');
    await sheet.getByRole('checkbox').press('Space');
    owner.agent.refusals.set('POST /training/data', {
      status: 422,
      code: 'DATA_TOO_SMALL',
      detail: 'this is too short',
    });
    await sheet.getByRole('button', { name: 'Join' }).press('Enter');
    await sheet.getByText('This is too short.').waitFor();
    owner.expectComplaints(/422/);
    owner.agent.refusals.clear();
    await sheet.getByRole('button', { name: 'Join' }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Notes of the house' }).waitFor();
    await page.getByText('No device offers a run that you are not in.').waitFor();
    await page.getByRole('button', { name: 'Leave this run' }).waitFor();
  });

  it('let a browser help by a link, see who came with it, and end it', async () => {
    const { training } = owner.agent.state;
    const fish = { ...training.runs[0], coordinator: { peerId: '12D3KooWLaptop', name: 'laptop' } } as TrainingRunView;
    training.runs = [fish, ...training.runs.slice(1)];
    const page = await at('/train');
    await page.getByRole('link', { name: /^Fish/ }).press('Enter');
    const help = page.getByRole('region', { name: 'Let a browser help' });
    await help.getByRole('combobox', { name: 'For' }).selectOption('1 day');
    const browsers = help.getByLabel('Browsers');
    const make = help.getByRole('button', { name: 'Make a link' });
    await browsers.fill('33');
    await make.press('Enter');
    expect(await browsers.evaluate((field: HTMLInputElement) => field.validity.rangeOverflow)).toBe(true);
    const place = `POST /training/runs/${fish.id}/links`;
    expect(owner.agent.requests).not.toContain(place);
    await browsers.fill('32');
    owner.agent.refusals.set(place, {
      status: 409,
      code: 'LIMIT_REACHED',
      detail: '32 links are open; stop one first',
    });
    await make.press('Enter');
    await help.getByText('No link was made').waitFor();
    owner.expectComplaints(/409/);
    owner.agent.refusals.clear();
    await make.press('Enter');
    await help.getByText('0 of 32 browsers came').waitFor();
    await help.getByText('24 h left').waitFor();
    const [link] = training.links;
    if (link === undefined) throw new Error('no link was made');
    await help.getByRole('button', { name: 'Show the link' }).press('Enter');
    await help.getByRole('img', { name: 'QR code of the link' }).waitFor();
    await help.getByText(link.link).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await help.getByRole('button', { name: 'Copy the link' }).first().press('Enter');
    await help.getByText('Copied', { exact: true }).first().waitFor();

    training.links = [{ ...link, visitors: [{ peerId: 'g1', name: 'a tab', lastSeenMs: Date.now() }] }];
    await page.getByRole('link', { name: /^Leaves/ }).press('Enter');
    await help.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /^Fish/ }).press('Enter');
    await help.getByText('1 of 32 browsers came').waitFor();
    await help.getByText('a tab').waitFor();
    await help.getByRole('button', { name: 'End the link' }).press('Enter');
    expect(await accessibilityViolations(page)).toEqual([]);
    await help.getByRole('button', { name: 'End it now' }).press('Enter');
    await help.getByText('ended', { exact: true }).waitFor();
    expect(await help.getByRole('button', { name: 'Copy the link' }).count()).toBe(0);
    expect(owner.agent.requests).toContain(`DELETE /training/links/${link.id}`);

    const none: readonly [string, Partial<TrainingRunView>][] = [
      ['This run is private', { terms: { ...fish.terms, kind: 'private' } }],
      ['This run adapts a model', { plan: adapterOf({ base: 'nano', rank: 4 }) }],
      ['lab-nuc coordinates this run', { coordinator: { peerId: '12D3KooWNuc', name: 'lab-nuc' } }],
    ];
    for (const [why, change] of none) {
      owner.agent.send({ type: 'training-changed', run: { ...fish, ...change } });
      await help.getByText(why).waitFor();
      expect(await make.count()).toBe(0);
    }
  });

  it('see who took part and what was refused, and save the model of a run that is done', async () => {
    const page = await at('/train');
    await page.getByRole('link', { name: /^Fish/ }).press('Enter');
    await page.getByText('The norm of the update is 8.1, the limit is 5.').waitFor();
    const who = page.getByRole('region', { name: 'Who took part' });
    await who.getByRole('row', { name: /^pixel.*1 refused.*11 of 14/ }).waitFor();
    await who.getByRole('row', { name: /^laptop.*this device.*14 of 14/ }).waitFor();
    await page.getByRole('link', { name: /^Leaves/ }).press('Enter');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the model' }).press('Enter');
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('Leaves.onnx');
    expect(await readFile(await saved.path(), 'utf8')).toBe('what is in the file');
    await page.getByRole('button', { name: 'Remove from the list' }).press('Enter');
    await page.getByRole('button', { name: 'Remove it now' }).press('Enter');
    await page.getByText('This run is not here any more.').waitFor();
  });
});
