import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { everyKind } from './fixture-entries.ts';
import { flipped } from './fixture-ledger.ts';
import { ownerPages } from './owner.ts';

/** Of the fixture's log: a receipt for storage, so far to the right that the strip has to be moved to show it. */
const bent = 15;

/** Another one, a message: older than what the strip shows. */
const older = 6;

/** The blocks that the strip draws broken, each with a torn link before it that is in sight. */
async function torn(page: Page): Promise<string[]> {
  const broken = page.locator('.chain li:has(.torn:has-text("no match")):has(.block-bad)');
  for (const link of await broken.locator('.torn').all())
    expect(await link.evaluate((element) => element.getBoundingClientRect().right < innerWidth)).toBe(true);
  return broken.locator('b').allTextContents();
}

describe('On the ledger’s page the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('verify every entry here, and see which one was changed, with the link that is torn', async () => {
    const page = await at('/ledger');
    await page.getByRole('group', { name: `Entries ${everyKind.length - 10} to ${everyKind.length - 1}` }).waitFor();
    const newest = page.locator('.chain li').last();
    expect(await newest.evaluate((element) => element.getBoundingClientRect().right < innerWidth)).toBe(true);
    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText(`All ${everyKind.length} entries hold together`).waitFor();
    await page.getByText(`${everyKind.length} entries, 1 receipt, in`).waitFor();
    expect(await torn(page)).toEqual([]);

    // The list still shows what was signed; only the bytes tell.
    const { altered } = owner.agent.state.log;
    altered.set(bent, await flipped(bent));
    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText(`Entry ${bent} is not as it was signed`).waitFor();
    await page.getByText('the entry after it follows another one').waitFor();
    expect(await torn(page)).toEqual([`#${bent}`]);

    // Unchecked, the entry after it names another hash than the list shows.
    await page.reload();
    await page.locator('.torn').waitFor();
    expect(await torn(page)).toEqual([`#${bent + 1}`]);
    expect(await page.locator('.tie-after').count()).toBe(everyKind.length - bent - 2);
  });

  it('see the torn link of an entry that is older than the strip, with what stands around it', async () => {
    owner.agent.state.log.altered.set(older, await flipped(older));
    const page = await at('/ledger');
    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText(`Entry ${older} is not as it was signed`).waitFor();
    await page.getByRole('group', { name: 'Entries 1 to 10' }).waitFor();
    expect(await torn(page)).toEqual([`#${older}`]);
    expect(await page.locator('.block-after').count()).toBe(4);
  });

  it('export all entries, a line each', async () => {
    const page = await at('/ledger');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).press('Enter'),
    ]);
    expect(download.suggestedFilename()).toBe('ledger.jsonl');
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    const entries = lines.map((line): unknown => JSON.parse(line));
    expect(entries).toEqual(everyKind.map(({ kind }, index) => expect.objectContaining({ v: 1, index, kind })));
  });

  it('check the proof of an entry here, which no altered entry and no proof of another one passes', async () => {
    const { altered, provenBy } = owner.agent.state.log;
    const page = await at(`/ledger?id=${bent}`);
    const check = page.getByRole('button', { name: 'Check it here' });
    await check.press('Enter');
    await page.getByText(`It is in the log of ${everyKind.length} entries that this peer signed.`).waitFor();
    await page.getByText('Nobody else has signed that far yet.').waitFor();
    provenBy.set(bent, bent - 1);
    await check.press('Enter');
    await page.getByText('This proof is of another entry than the one shown here.').waitFor();
    provenBy.clear();
    altered.set(bent, await flipped(bent));
    await check.press('Enter');
    await page.getByText(`This is not entry ${bent} of the log that was signed.`).waitFor();
    await page.getByText('The proof does not hold').waitFor();
    expect(await page.getByText('that this peer signed').count()).toBe(0);
  });

  it('read what each kind of entry is, in words and with its units', async () => {
    const page = await at('/ledger');
    for (const [index, [title, ...facts]] of said.entries()) {
      await page.getByRole('link', { name: new RegExp(`^Entry ${index}\\b`, 'u') }).press('Enter');
      const card = page.getByRole('region', { name: title, exact: true });
      await card.getByText(everyKind[index]?.kind ?? '', { exact: true }).waitFor();
      for (const fact of facts) await card.getByText(fact, { exact: true }).waitFor();
    }
    expect(said).toHaveLength(everyKind.length);
  });
});

/** Of each entry in its place: its title, and facts of it. */
const said: readonly (readonly [string, ...string[]])[] = [
  ['An answer, and what it took', 'mistral', '120 in, 380 out', 'by both sides'],
  ['Commits to its update of a round', '5', '1111 1111 1111 1111 …'],
  ['Commits to its update of a round', '5', 'In place of', '1111 1111 1111 1111 …'],
  ['Reveals its update of a round', '5', '0f0f 0f0f 0f0f 0f0f …'],
  ['A round of training', '5', '3', '1'],
  ['2 messages from before this log'],
  ['Message sent'],
  ['Message received'],
  ['A memory for everybody', '2.4 kB'],
  ['A group decided', '12'],
  ['Stands for another log', '260'],
  ['A lease of nodes', '8 nodes', '1 h 30 min', '6 credits at the most'],
  ['What a lease of nodes came to so far', '45 min', '3 credits', 'by both sides'],
  ['A lease of a model', '20,000 tokens of mistral', '1 h', '5 credits at the most'],
  ['A lease was settled', '1.25 credits', '3', 'by both sides'],
  ['A lease of storage', '50.0 MB', '24 h', '1.14441 credits at the most'],
  ['What a lease of storage came to so far', '6.2 MB', '0.005913 credits'],
  ['This peer is paid on a chain under a key of its own'],
  ['This peer goes on under another key', 'Key after'],
];
