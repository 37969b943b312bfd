import { text as readAll } from 'node:stream/consumers';
import { PeerAiError } from '@peerai/core-protocol';
import type {
  CapsuleView,
  ControlEvent,
  MemoryEmbedderView,
  MemoryFoundView,
  MemoryListView,
} from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command, type Verb } from '../command.ts';
import { withEventBar } from '../event-bar.ts';
import { table } from '../plain.ts';
import { countBar } from '../progress-bar.ts';
import { readFileText } from '../read-data.ts';
import { ago, counted } from '../words.ts';
import { devices, sync } from './memory-devices.ts';
import { embedder } from './memory-embedder.ts';

const levels = ['personal', 'behavioral', 'public'] as const;
type Level = (typeof levels)[number];
const levelText = 'personal (never leaves your own devices), behavioral (paired peers), public';
const which = {
  id: { type: 'positional', required: true, description: 'Id from `peerai memory ls`, or its beginning' },
} as const;
const shownIdChars = 12;

const add = command(
  'add',
  'Remember a text',
  {
    text: { type: 'positional', required: false, description: 'What to remember; - reads it from standard input' },
    file: { type: 'string', valueHint: 'F', description: 'Remember what is in this text file' },
    tag: { type: 'string', valueHint: 'T,T', description: 'Words it is filtered by' },
    level: { type: 'string', valueHint: 'L', description: `Who may have it: ${levelText}; personal unless said` },
  } as const,
  async ({ args, agent, output, signal }) => {
    if ((args.text === undefined) === (args.file === undefined))
      throw new PeerAiError('USAGE', 'give a text, - for standard input, or --file');
    const level = levelOf(args.level ?? 'personal');
    const text = args.file === undefined ? await textOf(args.text ?? '') : readFileText(args.file);
    const { capsule, embedder: by } = await (
      await agent()
    ).client.remember({ text, level, tags: tagsOf(args.tag) }, signal);
    tell(by, (line) => output.note(line));
    output.data({ capsule, embedder: by }, () => `Remembered as ${capsule.id.slice(0, shownIdChars)}, ${level}.`);
  },
);

const search = command(
  'search',
  'Find what is remembered',
  {
    text: { type: 'positional', required: true, description: 'What to look for' },
    tag: { type: 'string', valueHint: 'T,T', description: 'Only what has one of these tags' },
    since: { type: 'string', valueHint: '7d', description: 'Only what is not older' },
    level: { type: 'string', valueHint: 'L', description: `Only this level: ${levels.join(', ')}` },
    quality: { type: 'string', valueHint: 'Q', description: 'Least quality, 0.5 to 1' },
    limit: { type: 'string', valueHint: 'N', description: 'Hits at most; 10 unless said' },
    peer: { type: 'string', valueHint: 'P', description: 'Ask this paired peer instead' },
    everywhere: { type: 'boolean', description: 'Ask the paired peers that are here too' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (
      await agent()
    ).client.searchMemory(
      {
        text: args.text,
        tags: tagsOf(args.tag),
        ...(args.since === undefined ? {} : { fromMs: Math.max(0, Date.now() - durationOf(args.since)) }),
        ...(args.level === undefined ? {} : { level: levelOf(args.level) }),
        ...(args.quality === undefined ? {} : { qualityMin: numberOf('quality', args.quality) }),
        ...(args.limit === undefined ? {} : { limit: numberOf('limit', args.limit) }),
        ...(args.peer === undefined ? {} : { peer: args.peer }),
        ...(args.everywhere === true ? { everywhere: true } : {}),
      },
      signal,
    );
    for (const { name, problem } of found.asked ?? [])
      if (problem !== undefined) output.note(`${name} was not searched: ${problem}`);
    tell(found.embedder, (line) => output.note(line));
    output.data(found, () => hitsText(found));
  },
);

const ls = command(
  'ls',
  'What is remembered, newest first',
  {
    level: { type: 'string', valueHint: 'L', description: `Only this level: ${levels.join(', ')}` },
    tag: { type: 'string', valueHint: 'T', description: 'Only what has this tag' },
    limit: { type: 'string', valueHint: 'N', description: 'Capsules of one page; 50 unless said' },
    after: { type: 'string', valueHint: 'PAGE', description: '`next` of the page before' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const page = await (
      await agent()
    ).client.memories(
      {
        ...(args.level === undefined ? {} : { level: levelOf(args.level) }),
        ...(args.tag === undefined ? {} : { tag: args.tag }),
        ...(args.limit === undefined ? {} : { limit: numberOf('limit', args.limit) }),
        ...(args.after === undefined ? {} : { after: args.after }),
      },
      signal,
    );
    output.data(page, () => {
      if (page.count === 0) return 'Nothing yet. Remember something: peerai memory add "…"';
      if (page.capsules.length === 0) return 'Nothing that fits.';
      const rows = page.capsules.map((one) => [...rowOf(one), ago(one.createdMs), textIn(one)]);
      const more = page.next === undefined ? '' : `\n\nMore: peerai memory ls --after ${page.next}`;
      return `${table([['ID', 'LEVEL', 'FROM', 'WHEN', 'WHAT'], ...rows])}${more}${waitingText(page)}`;
    });
  },
);

const showOptions = {
  ...which,
  peer: { type: 'string', valueHint: 'P', description: 'Read it at this paired peer; the whole id is needed' },
} as const;
const show = command('show', 'One capsule, whole', showOptions, async ({ args, agent, output, signal }) => {
  const { client } = await agent();
  const capsule = await (args.peer === undefined
    ? client.memory(args.id, signal)
    : client.memoryAt(args.id, args.peer, signal));
  output.data({ capsule }, () => {
    const facts = [
      ['id', capsule.id],
      ...('peerName' in capsule ? [['at', capsule.peerName]] : []),
      ['from', capsule.mine ? 'this peer' : capsule.authorName],
      ['level', capsule.level],
      ['tags', capsule.tags.join(', ') || '-'],
      ['made', ago(capsule.createdMs)],
      ['quality', capsule.quality.toFixed(2)],
      ['found by', kindText(capsule)],
      ...capsule.relations.map(({ kind, capsule: id }) => [kind, id.slice(0, shownIdChars)]),
    ];
    return `${table(facts)}\n\n${capsule.text ?? `${capsule.mediaType}, ${capsule.bytes} bytes`}`;
  });
});

const share = command(
  'share',
  'Give a capsule to a paired peer, which keeps it',
  {
    ...which,
    peer: { type: 'positional', required: true, description: 'Name or peer id' },
    cancel: { type: 'boolean', description: 'One that waits for the peer is not to go there' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    if (args.cancel === true) {
      await client.cancelMemoryShare(args.id, args.peer);
      output.data({ cancelled: true }, () => 'It does not wait any more.');
      return;
    }
    const shared = await client.shareMemory(args.id, args.peer, signal);
    output.data(shared, () => {
      const { peerName, outcome } = shared;
      if (outcome === 'waiting') return `${peerName} is away and gets it when it is back.`;
      return outcome === 'known' ? `${peerName} has it.` : `Given to ${peerName}.`;
    });
  },
);

const forget = command(
  'forget',
  'Take a capsule out of the memory for good',
  which,
  async ({ args, agent, output }) => {
    const capsule = await (await agent()).client.forgetMemory(args.id);
    output.data({ capsule }, () => `Forgotten: ${textIn(capsule)}`);
  },
);

const tidy = command(
  'tidy',
  'Drop what is old and unused, and join what is nearly the same; Ctrl-C takes back what was done so far',
  { undo: { type: 'boolean', description: 'Bring back what the last time took away' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    if (args.undo === true) {
      const { restored } = await client.undoConsolidation();
      output.data({ restored }, () => `Brought back ${counted(restored, 'capsule', 'capsules')}.`);
      return;
    }
    const lineOf = (event: ControlEvent): string | undefined =>
      event.type === 'memory-progress' && event.work === 'tidy'
        ? countBar(event.name, event.done, event.all, event.name === 'joining' ? 'groups' : 'capsules')
        : undefined;
    const work = async () => client.consolidateMemory(signal);
    const done = await withEventBar(client, output, signal, lineOf, work);
    output.data(done, () => {
      if (done.undoUntilMs === null) return 'Nothing to tidy.';
      const joined = `joined ${counted(done.replaced, 'capsule', 'capsules')} into ${done.merged}`;
      return `Dropped ${done.expired}, ${joined}. For 7 days: peerai memory tidy --undo`;
    });
  },
);

export const memory: Verb = { run: ls, subs: { ls, add, search, show, share, forget, tidy, embedder, devices, sync } };

/** A model that was asked for, or chosen, and is not there must not pass unseen. */
function tell({ name, setting, left, problem }: MemoryEmbedderView, note: (line: string) => void): void {
  if (problem === undefined && left > 0)
    note(`${counted(left, 'capsule is', 'capsules are')} found by words until ${name} has read them`);
  if (problem === undefined) return;
  note(`memory.embedder (${setting}) is not used now: ${problem}; ${name} compares words and spellings`);
}

function hitsText({ hits, searched, leftOutCount }: MemoryFoundView): string {
  const left = leftOutCount === 0 ? '' : `\n${counted(leftOutCount, 'capsule', 'capsules')} could not be compared.`;
  if (hits.length === 0)
    return searched === 0 && leftOutCount === 0
      ? 'Nothing is remembered yet. Remember something: peerai memory add "…"'
      : `Nothing found.${left}`;
  const rows = hits.map(({ capsule, score, kind, peerName }) => [
    score.toFixed(2),
    kind,
    ...rowOf(capsule),
    peerName,
    textIn(capsule),
  ]);
  return `${table([['SCORE', 'BY', 'ID', 'LEVEL', 'FROM', 'FOUND AT', 'WHAT'], ...rows])}${left}`;
}

function waitingText({ waiting }: MemoryListView): string {
  if (waiting.length === 0) return '';
  const rows = waiting.map(({ capsuleId, peerName, sinceMs, problem, summary }) => [
    capsuleId.slice(0, shownIdChars),
    peerName,
    ago(sinceMs),
    problem ?? 'away',
    summary.slice(0, 72),
  ]);
  return `\n\nWaiting for peers (peerai memory share <id> <peer> --cancel ends it):\n${table([['ID', 'FOR', 'SINCE', 'WHY', 'WHAT'], ...rows])}`;
}

const rowOf = ({ id, level, mine, authorName }: CapsuleView): string[] => [
  id.slice(0, shownIdChars),
  level,
  mine ? 'this peer' : authorName,
];
const textIn = ({ summary, tags }: CapsuleView): string =>
  [summary.slice(0, 72), ...tags.map((tag) => `#${tag}`)].join(' ');
const kindText = ({ kind, embedder }: CapsuleView): string =>
  `${kind === 'semantic' ? 'meaning' : 'words and spellings'} (${embedder})`;

const textOf = async (text: string): Promise<string> => (text === '-' ? await readAll(process.stdin) : text);

const tagsOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

function levelOf(text: string): Level {
  const level = levels.find((one) => one === text);
  if (level === undefined) throw new PeerAiError('USAGE', `--level is ${levelText}; not "${text}"`);
  return level;
}

function numberOf(flag: string, text: string): number {
  const number = Number(text);
  if (!(number >= 0)) throw new PeerAiError('USAGE', `--${flag} is a number, not "${text}"`);
  return number;
}

function durationOf(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (cause) {
    throw new PeerAiError('USAGE', `--since: ${(cause as Error).message}`, {}, { cause });
  }
}
