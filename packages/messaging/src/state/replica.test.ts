import { expect, test } from 'vitest';
import { Doc, encodeStateAsUpdate, Map as SharedMap } from 'yjs';
import { limits } from './limits.ts';
import { checkUpdate, createReplica, type Parts } from './replica.ts';

const written = (client: number, change: (parts: Parts) => void): Uint8Array =>
  createReplica().write(client, change)?.update ?? new Uint8Array();
/** What a foreign program with the same library might send. */
function foreign(change: (document: Doc) => void, client = 7): Uint8Array {
  const document = new Doc();
  document.clientID = client;
  change(document);
  return encodeStateAsUpdate(document);
}
const codeOf = (update: Uint8Array, clients: readonly number[] = [7]): unknown => {
  try {
    checkUpdate(update, new Set(clients));
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

test('an update of values and text under its author’s number is taken, under any other it is refused', () => {
  const update = written(7, (parts) => {
    parts.set('key', '{"a":1}');
    parts.retext('text');
  });
  expect([codeOf(update), codeOf(update, [8]), codeOf(update, [7, 8])]).toEqual([undefined, 'REFUSED', undefined]);
});

test.each<[string, (document: Doc) => void]>([
  ['a nested map', (document) => document.getMap('map').set('key', new SharedMap())],
  ['a document inside', (document) => document.getMap('map').set('key', new Doc())],
  ['bytes', (document) => document.getMap('map').set('key', Uint8Array.of(1))],
  ['a number instead of JSON text', (document) => document.getMap('map').set('key', 1)],
  ['a third root', (document) => document.getMap('other').set('key', '1')],
  ['formatted text', (document) => document.getText('text').insert(0, 'x', { bold: true })],
  ['a picture in the text', (document) => document.getText('text').insertEmbed(0, { image: 'x' })],
  ['a key over the limit', (document) => document.getMap('map').set('k'.repeat(limits.keyBytesMax + 1), '1')],
])('%s is refused', (_, change) => {
  expect(codeOf(foreign(change))).toBe('INVALID_FORMAT');
});

test('a key of the limit is taken; text that is no JSON stands for no value', () => {
  const update = foreign((document) => document.getMap('map').set('k'.repeat(limits.keyBytesMax), 'not JSON'));
  expect(codeOf(update)).toBeUndefined();
  const replica = createReplica();
  replica.apply(update);
  expect(replica.entries()).toEqual([]);
});

test('a count of structs that are not there takes no memory', () => {
  // One client, 33 million structs, and the end.
  expect(codeOf(Uint8Array.of(1, 0x80, 0x80, 0xe0, 0x0f, 7, 0))).toBe('INVALID_FORMAT');
});

test('a text becomes another by one replacement, never between the halves of a character', () => {
  const replica = createReplica();
  const texts = ['a😀b', 'a😁b', '😁', '', 'é', 'aé', 'aéé', '😀😀', '😀', 'x😁😀'];
  const other = createReplica();
  for (const text of texts) {
    const made = replica.write(7, (parts) => parts.retext(text));
    if (made !== undefined) other.apply(made.update);
    expect([replica.text(), other.text(), other.text().isWellFormed()]).toEqual([text, text, true]);
  }
});

test('a snapshot says the same as all changes before it, without what was removed', () => {
  const replica = createReplica();
  for (let count = 0; count < 50; count += 1)
    replica.write(7, (parts) => parts.set('key', JSON.stringify('x'.repeat(count))));
  replica.write(7, (parts) => parts.remove('key'));
  replica.write(7, (parts) => parts.set('other', '1'));
  const snapshot = replica.snapshot(new Set([7])) ?? new Uint8Array();
  expect(codeOf(snapshot)).toBeUndefined();
  expect(snapshot.length).toBeLessThan(100);
  const other = createReplica();
  other.apply(snapshot);
  expect(other.entries()).toEqual(replica.entries());
});
