import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { describeColumns, labelsOf, readExamples, readTable } from './table.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const rows = (count: number, row: string) => `${row}\n`.repeat(count);

describe('a table', () => {
  test.each([
    ['commas', 'a,b\n'.concat(rows(10, '1,x'))],
    ['semicolons and CRLF', 'a;b\r\n'.concat(rows(10, '1;x').replaceAll('\n', '\r\n'))],
    ['tabs and a byte order mark', '\ufeffa\tb\n'.concat(rows(10, '1\tx'))],
    ['quotes and empty lines', '"a","b"\n\n'.concat(rows(10, '"1","x"'))],
  ])('is read with %s', (_, text) => {
    const table = readTable(text);
    expect(table.columns).toEqual(['a', 'b']);
    expect(table.rows).toEqual(Array.from({ length: 10 }, () => ['1', 'x']));
    expect(describeColumns(table)).toEqual([
      { name: 'a', numeric: true, values: ['1'] },
      { name: 'b', numeric: false, values: ['x'] },
    ]);
  });

  test.each([
    ['a row of another length', `a,b\n${rows(9, '1,2')}1\n`, 'DATA_INVALID', 'row 10'],
    ['an open quote', `a,b\n${rows(9, '1,2')}1,"2\n`, 'DATA_INVALID', 'quote'],
    ['one column', `a\n${rows(12, '1')}`, 'DATA_INVALID', 'two columns'],
    ['a column without a name', `a,,c\n${rows(12, '1,2,3')}`, 'DATA_INVALID', 'column 2'],
    ['a name twice', `a,a\n${rows(12, '1,2')}`, 'DATA_INVALID', 'two columns are called "a"'],
    ['too few rows', `a,b\n${rows(limits.trainingRowsMin - 1, '1,2')}`, 'DATA_TOO_SMALL', '9 rows'],
    ['no rows', '', 'DATA_INVALID', 'heading'],
  ])('with %s is refused, naming the place', (_, text, expected, place) => {
    expect(() => readTable(text)).toThrow(code(expected));
    expect(() => readTable(text)).toThrow(place);
  });

  test('has as many columns and rows as the limits say, and no more', () => {
    const wide = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `c${index}`).join(',');
      return `${names}\n${rows(10, Array.from({ length: count }, () => '1').join(','))}`;
    };
    expect(readTable(wide(limits.trainingColumnsMax)).columns).toHaveLength(limits.trainingColumnsMax);
    expect(() => readTable(wide(limits.trainingColumnsMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
    expect(readTable(`a,b\n${rows(limits.trainingRowsMax, '1,2')}`).rows).toHaveLength(limits.trainingRowsMax);
    expect(() => readTable(`a,b\n${rows(limits.trainingRowsMax + 1, '1,2')}`)).toThrow(code('LIMIT_EXCEEDED'));
  });

  test('gives numbers and labels, or says which cell is neither', () => {
    const table = readTable(`a,b,kind\n${rows(5, '1,-2.5e1,x')}${rows(5, '.5,3,y')}`);
    expect(labelsOf(table, 'kind')).toEqual(['x', 'y']);
    const { features, labels } = readExamples(table, { features: ['b', 'a'], label: 'kind', classes: ['y', 'x'] });
    expect([...features.slice(0, 2), ...features.slice(-2)]).toEqual([-25, 1, 3, 0.5]);
    expect([...labels]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    const read = (more: object) => () =>
      readExamples(table, { features: ['a', 'b'], label: 'kind', classes: ['x', 'y'], ...more });
    expect(read({ features: ['a', 'kind'], label: 'b', classes: ['-2.5e1', '3'] })).toThrow(
      'row 1, column "kind": "x"',
    );
    expect(read({ classes: ['x', 'z'] })).toThrow('row 6: "y" is not one of the labels x, z');
    expect(read({ features: ['c'] })).toThrow('no column "c"; there are a, b, kind');
    expect(() => labelsOf(readTable(`a,b\n${rows(10, '1,2')}`), 'b')).toThrow('same in every row');
  });

  test.each(['1e39', 'NaN', 'Infinity', '0x10', '', '1,5', '1 2'])('takes %j for no number', (value) => {
    const table = readTable(`a;b\n${rows(10, `${value};x`)}`);
    expect(describeColumns(table)[0]).toMatchObject({ numeric: false });
  });
});
