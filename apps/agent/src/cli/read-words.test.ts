import { expect, test } from 'vitest';
import { readWords } from './read-words.ts';

test.each([
  [[], undefined, [], false],
  [['status'], 'status', [], false],
  [['--help'], undefined, ['--help'], true],
  [['--json', 'peers', 'ls'], 'peers', ['ls', '--json'], false],
  [['--home', '/tmp/a', 'status', '-q'], 'status', ['-q', '--home', '/tmp/a'], false],
  [['run', '-h'], 'run', ['-h'], true],
  [['run', 'echo', '--', '--help'], 'run', ['echo', '--', '--help'], false],
  [['-q', 'run', 'echo', '--', '-x'], 'run', ['echo', '-q', '--', '-x'], false],
  [['--version'], '--version', [], false],
])('%j is the verb %s with %j', (args, word, rest, wantsHelp) => {
  expect(readWords(args)).toEqual({ word, rest, wantsHelp });
});
