import { expect, it } from 'vitest';
import { tagsOf, titleOf } from './question.ts';

it('A title is the first line, cut after 80 characters, and the id where nothing is said', () => {
  const title = (summary: string): string => titleOf({ summary, id: 'ab'.repeat(32) });
  expect(title('\nThe roof leaks.\nIt rains.')).toBe('The roof leaks.');
  expect(title('🏠'.repeat(80))).toBe('🏠'.repeat(80));
  expect(title('🏠'.repeat(81))).toBe(`${'🏠'.repeat(80)}…`);
  expect(title(' ')).toBe('abababababababab');
});

it('Tags stand between commas, each once', () => {
  expect(tagsOf(' house, , roof of slate,house,')).toEqual(['house', 'roof of slate']);
  expect(tagsOf('')).toEqual([]);
});
