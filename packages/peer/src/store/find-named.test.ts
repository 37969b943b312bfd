import { expect, test } from 'vitest';
import { findNamed } from './find-named.ts';

const groups = [
  { id: '4be8f4e15f1bc0de', name: 'house' },
  { id: '4be8f4e1aaaaaaaa', name: 'garden' },
  { id: 'fd32e24f0128c410', name: 'house' },
];
const about = { code: 'GROUP_UNKNOWN', what: 'group', hint: 'look there' } as const;

test('something goes by its name, its id, and by eight digits of it that no other begins with', () => {
  const found = ['garden', '4be8f4e15f1bc0de', 'fd32e24f'].map((text) => findNamed(groups, text, about));
  expect(found).toEqual([groups[1], groups[0], groups[2]]);
});

test.each([
  ['house', 'several groups are called "house"; give the id: 4be8f4e15f1b, fd32e24f0128'],
  ['4be8f4e1', 'several groups are called "4be8f4e1"; give the id: 4be8f4e15f1b, 4be8f4e1aaaa'],
  ['fd32e24', '"fd32e24" is too little of an id: give 8 digits or more'],
  ['attic', 'there is no group "attic" here'],
  ['', 'there is no group "" here'],
])('"%s" names none, and the reason says what to give instead', (text, message) => {
  const details = { hint: 'look there' };
  expect(() => findNamed(groups, text, about)).toThrow(
    expect.objectContaining({ code: 'GROUP_UNKNOWN', message, details }),
  );
});
