import { expect, it } from 'vitest';
import { repositoryText } from './corpus.ts';

it('The repository’s text is dealt out in parts of about one length, and none of it is held out too', () => {
  const { parts, heldOut } = repositoryText(3);
  const lengths = parts.map(({ length }) => length);
  expect(Math.max(...lengths) / Math.min(...lengths)).toBeLessThan(1.05);
  const paragraphs = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split('\n\n');
  const learned = parts.flatMap(paragraphs);
  expect(new Set(learned).size).toBe(learned.length);
  expect(paragraphs(heldOut).filter((paragraph) => learned.includes(paragraph))).toEqual([]);
  expect(heldOut.length).toBeGreaterThan(10_000);
});
