import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { ownerPages } from './owner.ts';

const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

describe('On the Models page the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('import a file with its tokenizer, be told why one is refused, and remove it', async () => {
    const page = await at('/models');
    const card = page.getByRole('region', { name: 'Imported files' });
    await card.getByText('numbers in, numbers out').waitFor();
    await card.getByText('its tokenizer.json is missing: import it again with it').waitFor();
    const bring = card.getByRole('button', { name: 'Import', exact: true });
    await card.getByLabel('Model file (.onnx)').setInputFiles(file('tiny.onnx', 'a graph'));
    const texts = card.getByLabel(/^For a model of words/);
    await texts.setInputFiles([file('config.json', '{}')]);
    await bring.press('Enter');
    await card.getByText('It was not imported (MODEL_FILE_MISSING)').waitFor();
    // Nothing was sent: the agent would have kept a model that cannot answer.
    expect(owner.agent.requests).not.toContain('POST /models/imported');
    expect(await accessibilityViolations(page)).toEqual([]);
    await texts.setInputFiles([
      file('tokenizer.json', '{"model":{}}'),
      file('config.json', '{"n_ctx":2048}'),
      file('chat_template.jinja', '{{ "x" }}\n'),
      file('vocab.txt', 'not read'),
    ]);
    await card.getByLabel(/^Name/).fill('story');
    await bring.press('Enter');
    await card.getByText('Imported as story.').waitFor();
    await card.getByText('answers, 2,048 tokens of context').waitFor();
    expect(owner.agent.state.tokenizer).toEqual({
      'tokenizer.json': { model: {} },
      'config.json': { n_ctx: 2048 },
      'chat_template.jinja': '{{ "x" }}\n',
    });
    const taken = { status: 409, code: 'MODEL_EXISTS', detail: 'there is a model "tiny" already' };
    owner.agent.refusals.set('POST /models/imported', taken);
    owner.expectComplaints(/409/);
    await card.getByLabel('Model file (.onnx)').setInputFiles(file('tiny.onnx', 'a graph'));
    await bring.press('Enter');
    await card.getByText('It was not imported (MODEL_EXISTS)').waitFor();
    await card.getByText('There is a model "tiny" already.').waitFor();
    owner.expectComplaints(/409/);
    await card.getByRole('button', { name: 'Remove story' }).press('Enter');
    await card.getByRole('button', { name: 'Remove story' }).waitFor({ state: 'detached' });
    expect(owner.agent.state.imported.map(({ name }) => name)).toEqual(['house-prices', 'tiny-story']);
  });

  it('split a model over devices, with a spare, and see who holds what', async () => {
    const page = await at('/models');
    const card = page.getByRole('region', { name: 'Split models' });
    await card.getByRole('button', { name: 'Split a model' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Split a model' });
    // What Ollama runs, and what is elsewhere, has no layers here.
    expect(await sheet.getByLabel('Model').locator('option').allTextContents()).toEqual(['nano']);
    expect(await sheet.getByRole('checkbox', { name: 'attic-nas · away' }).isDisabled()).toBe(true);
    await sheet.getByRole('checkbox', { name: 'This device' }).press('Space');
    await sheet.getByRole('button', { name: 'Split it' }).press('Enter');
    await sheet.getByText('It was not split (USAGE)').waitFor();
    await sheet.getByRole('checkbox', { name: 'This device' }).press('Space');
    await sheet.getByRole('checkbox', { name: 'study-pc' }).press('Space');
    await sheet.getByLabel(/^Who takes the place/).selectOption('lab-nuc');
    await sheet.getByLabel('How numbers travel').selectOption('int8: a quarter of the bytes');
    await sheet.getByLabel(/^Name/).fill('pair');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Split it' }).press('Enter');
    await sheet.waitFor({ state: 'detached' });
    const made = card.getByRole('list', { name: 'pair' });
    await made.getByText('at study-pc').waitFor();
    await made.getByText('meant for study-pc, then lab-nuc').waitFor();
    await made.getByText('on this device').waitFor();
    const [, split] = owner.agent.state.splits.splits;
    expect(split).toMatchObject({ model: 'nano', activations: 'int8' });
    await card.getByRole('button', { name: 'End pair' }).press('Enter');
    await made.waitFor({ state: 'detached' });
  });

  it('see how much of a split model is at its devices, and cancel it', async () => {
    const page = await at('/models');
    // The answer to the request never comes.
    await page.route('**/api/v1/models/splits', (route) =>
      route.request().method() === 'POST' ? undefined : route.continue(),
    );
    const card = page.getByRole('region', { name: 'Split models' });
    await card.getByRole('button', { name: 'Split a model' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Split a model' });
    await sheet.getByRole('button', { name: 'Split it' }).press('Enter');
    const cancel = sheet.getByRole('button', { name: 'Cancel' });
    await cancel.waitFor();
    owner.agent.send({ type: 'split-progress', name: 'nano:split', moved: 1_048_576, bytes: 4_194_304 });
    const bar = sheet.getByRole('img', { name: /are there$/ });
    await bar.waitFor();
    expect(await bar.locator('.used').getAttribute('width')).toBe('25.0');
    expect(await accessibilityViolations(page)).toEqual([]);
    await cancel.press('Enter');
    await sheet.getByText('Left: nothing was split.').waitFor();
    expect(await bar.count()).toBe(0);
  });

  it('see which model files other devices let them run', async () => {
    const page = await at('/models');
    const card = page.getByRole('region', { name: 'study-pc' });
    await card.getByText('roof-angles', { exact: true }).waitFor();
    await card.getByText('peerai models infer roof-angles@study-pc --data JSON').waitFor();
  });
});
