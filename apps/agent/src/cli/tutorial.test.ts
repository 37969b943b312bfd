import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainingRunView } from '@peerai/peer/control';
import { afterAll, expect, test } from 'vitest';
import { differences } from '../../test/shown-lines.ts';
import { type Terminal, twoDevices } from '../../test/tutorial-devices.ts';
import { namedIn, type Step, stepsOf } from '../../test/tutorial.ts';
import { globalArgs } from './command.ts';
import { verbs } from './verbs.ts';

const tutorial = readFileSync(new URL('../../../../docs/train-together.md', import.meta.url), 'utf8');
/** The longest that one command and the whole tutorial may take, milliseconds: seconds and half a minute on an idle machine. */
const [commandMsMax, tutorialMsMax] = [400_000, 1_500_000];

/** Words that a command of the tutorial gets in addition here, and why; nothing else of what is typed is changed. */
const added: readonly (readonly [begins: string, words: string, because: string])[] = [
  ['peerai train join ', '-y', 'nobody sits here to be asked'],
  ['peerai train start fox.txt --name fox', '--rounds 3', 'all twenty take ten seconds'],
  ['peerai train start letters.txt --name letters ', '--rounds 3', 'as above'],
  ['peerai train start fox.txt --name more ', '--rounds 2', 'as above'],
  ['peerai train start letters.txt --name whole ', '--rounds 2', 'as above'],
];
/** Commands that end only when the other device has done its part, and what they show when it is that one's turn. */
const waits: readonly (readonly [begins: string, shows: string])[] = [['peerai join ', 'Waiting for the owner of']];
/** What stands for something that one of the devices printed: the last one. */
const placeholders: Readonly<Record<string, RegExp>> = {
  '<link>': /peerai:\/\/pair\/\S+/gu,
  '<id>': /(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/gu,
};

const devices = twoDevices();
afterAll(() => devices.stop(), 60_000);

/** All that both have printed. */
let printed = '';
const used = new Set<string>();

/** The line as it is typed here. */
function typedAs(line: string): string {
  const more = added.filter(([begins]) => line.startsWith(begins));
  for (const [begins] of more) used.add(begins);
  const filled = line.replaceAll(/<\w+>/gu, (name) => {
    const [last] = (placeholders[name] && printed.match(placeholders[name]))?.slice(-1) ?? [];
    if (last === undefined) throw new Error(`nothing was printed that ${name} stands for`);
    return `'${last}'`;
  });
  return [filled, ...more.map(([, words]) => words)].join(' ');
}

/** "When it is done", the tutorial says: one device may show its last round a moment before the other has ended. */
async function typed(terminal: Terminal, line: string, until: string | undefined): ReturnType<Terminal['type']> {
  for (let left = 60; ; left -= 1) {
    const seen = await terminal.type(line, commandMsMax, until);
    if (left === 0 || seen.code === 0 || !seen.screen.includes('(RUN_ACTIVE)')) return seen;
  }
}

async function follow(step: Step, terminal: Terminal): Promise<void> {
  const { line, save, text, shown } = step;
  if (save !== undefined) return writeFileSync(join(terminal.folder, save), text);
  let screens = '';
  for (const command of text.trimEnd().split('\n')) {
    const [, until] = waits.find(([begins]) => command.startsWith(begins)) ?? [];
    const { screen, code } = await typed(terminal, typedAs(command), until);
    const where = `train-together.md, line ${line}, on the ${terminal.name}: ${command}\n${screen}`;
    expect(code, where).toBe(0);
    screens += screen;
    printed += screen;
  }
  expect(differences(shown, screens), `train-together.md, line ${line}, printed:\n${screens}`).toEqual([]);
}

test('what the tutorial says is typed on two devices, and does what it says', { timeout: tutorialMsMax }, async () => {
  for (const step of stepsOf(tutorial)) for (const name of step.on) await follow(step, devices[name]);

  expect(
    added.map(([begins]) => begins).filter((begins) => !used.has(begins)),
    'not in the tutorial',
  ).toEqual([]);
  const [onLaptop, onDesk] = [/ {2}(\S+ \S+ \S+ \S+) {3}\(/u, /wants to join: (\S+ \S+ \S+ \S+) /u].map(
    (shows) => shows.exec(printed)?.[1],
  );
  expect(onLaptop, 'both screens show the same four emoji').toBe(onDesk);

  const list = async (terminal: Terminal): Promise<readonly TrainingRunView[]> => {
    const { screen } = await terminal.type('peerai train ls --json', commandMsMax);
    return (JSON.parse(screen) as { runs: TrainingRunView[] }).runs.toReversed();
  };
  const [here, there] = [await list(devices.desk), await list(devices.laptop)];
  const together = ['circle', 'digits', 'fox', 'letters', 'more'];
  const kept = (runs: readonly TrainingRunView[]) =>
    runs.flatMap(({ name, file }) => (file ? [[name, file.sha256]] : []));
  expect(kept(there).map(([name]) => name)).toEqual(together);
  expect(kept(here).slice(0, -1), 'all hold the same file').toEqual(kept(there));
  for (const { name, first, now } of here.filter(({ file }) => file !== null))
    expect(now?.loss, `${name} learned`).toBeLessThan(first?.loss ?? 0);
  for (const { folder } of [devices.desk, devices.laptop])
    expect(readFileSync(join(folder, 'letters.gguf')).toString('latin1', 0, 4)).toBe('GGUF');
});

test('every command and flag that it names in passing is one of the program', async () => {
  const { commands, flags } = namedIn(tutorial);
  expect([commands.length, flags.length].every((count) => count > 10)).toBe(true);
  const known = new Set<string>();
  for (const command of commands) {
    const [, name = '', sub = '', ...words] = command.split(' ');
    const verb = await verbs[name]?.load();
    const of = verb?.subs?.[sub] ?? verb?.run;
    expect(of, command).toBeDefined();
    const flagsOf = Object.keys({ ...of?.args, ...globalArgs });
    for (const flag of flagsOf) known.add(flag);
    const said = [sub, ...words].flatMap((word) => (word.startsWith('--') ? [word.slice(2)] : []));
    expect(
      said.filter((flag) => !flagsOf.includes(flag)),
      command,
    ).toEqual([]);
  }
  // Those alone belong to a command of the text around them.
  for (const [name, sub] of [
    ['train', 'start'],
    ['train', 'link'],
    ['demo', 'train'],
    ['invite'],
    ['run'],
    ['up'],
  ] as const) {
    const verb = await verbs[name]?.load();
    for (const flag of Object.keys((sub === undefined ? verb?.run : verb?.subs?.[sub])?.args ?? {})) known.add(flag);
  }
  for (const text of flags)
    for (const [, flag = ''] of text.matchAll(/--([\w-]+)/gu))
      expect(known.has(flag) || known.has(flag.replace(/^no-/u, '')), `${text} of the tutorial`).toBe(true);
});

test('a block of which nobody knows on which device it is typed is none', () => {
  const block = '```bash\npeerai up\n```\n';
  for (const said of [
    'Start it:',
    'On the desk.',
    'On the desk, and on the laptop:',
    'On the desk it is so. Now this:',
  ])
    expect(() => stepsOf(`${said}\n\n${block}`), said).toThrow('line 3');
  expect(stepsOf(`First this. Then, on the laptop:\n\n${block}`)).toMatchObject([{ line: 3, on: ['laptop'] }]);
  expect(stepsOf(`On both:\n\n${block}`)).toMatchObject([{ on: ['desk', 'laptop'] }]);
});

test('shown lines are found as they are, with figures that are about as good', () => {
  const shown = ['round   1  held out loss 0.662, 48.3 % right  2 members', '…', 'sha256    0783f76ed7d5da63'];
  const told = (line: string) => differences(shown, `before\n${line}\nbetween\nsha256  1111111111111110\n`);
  expect(told('round   1  held out loss 0.762, 40.3 % right  2 members')).toEqual([]);
  expect(told('round   1  held out loss 0.763, 48.3 % right  2 members')).toHaveLength(1);
  expect(told('round   1  held out loss 0.662, 40.2 % right  2 members')).toHaveLength(1);
  expect(told('round   1  held out loss 0.662, 48.3 % right  3 members')).toHaveLength(1);
  expect(differences(shown.toReversed(), shown.join('\n'))).toHaveLength(1);
  expect(differences(['294 of 300 rows told rightly: 98.0 %.'], '280 of 300 rows told rightly: 93.3 %.')).toEqual([]);
  expect(differences(['294 of 300 rows told rightly: 98.0 %.'], '280 of 301 rows told rightly: 93.3 %.')).toHaveLength(
    1,
  );
});
