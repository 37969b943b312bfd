import { explain } from '@peerai/platform/node';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { verbs } from '../src/cli/verbs.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failure: 'any other failure',
  usage: 'a mistake in the command',
  notRunning: 'no agent is running',
  unreachable: 'the peer cannot be reached, or went away',
  refused: 'refused: a right, a budget, a key',
  verification: 'a signature, a hash or the books are wrong',
  engine: 'the engine or the model is missing, or failed',
  timeout: '`--timeout` is over, or another limit of time',
  config: 'the configuration is wrong',
  interrupted: 'Ctrl-C',
};

/** The parts of the README that the program knows better: `<!-- name -->` stands before each, `<!-- end -->` behind. */
export const readmeBlocks: Readonly<Record<string, () => string>> = {
  commands: () =>
    table(
      ['command', 'does'],
      Object.values(verbs).map(({ usage, says }) => [`\`peerai ${usage}\``, says]),
    ),
  settings: () => {
    const sections = [
      'network',
      'security',
      'llm',
      'ledger',
      'governance',
      'reputation',
      'market',
      'memory',
      'cache',
      'metrics',
      'performance',
      'share',
      'tasks',
      'api',
      'http',
      'logging',
    ];
    const rows = sections.flatMap((section) =>
      explain(section).map((info) => [`\`${info.key}\``, shown(info.default), info.description]),
    );
    return table(['key', 'default', 'is'], rows);
  },
  'exit statuses': () =>
    table(
      ['status', 'means'],
      Object.entries(exitCodes).map(([name, code]) => [`${code}`, meanings[name as keyof typeof exitCodes]]),
    ),
};

const shown = (value: unknown): string =>
  value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** The text with every block as the program has it now. Throws for a block that is not there. */
export function withBlocks(text: string): string {
  let result = text;
  for (const [name, block] of Object.entries(readmeBlocks)) {
    const place = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- end -->)`);
    if (!place.test(result)) throw new Error(`the README has no block "${name}"`);
    result = result.replace(place, (_whole, start: string, end: string) => `${start}\n\n${block()}\n\n${end}`);
  }
  return result;
}
