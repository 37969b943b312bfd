import { PeerAiError } from '@peerai/core-protocol';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { plain, plainJson } from './plain.ts';

/** How a command speaks: data to stdout, everything else to stderr, both without another peer's control characters. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** A person sits at both ends. */
  readonly interactive: boolean;
  /** The answer: with `--json` one line with `"v":1`, with `--jsonl` one line for each item of its list, else the text. */
  data(value: object, text: () => string): void;
  /** Raw answer text as it streams. */
  write(text: string): void;
  /** For people; silent with `--quiet`. */
  note(text: string): void;
  /** A line that the next one overwrites, empty to take it away; on a terminal only. */
  progress(text: string): void;
}

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly jsonl?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly input?: boolean | undefined;
}

export function createOutput(flags: OutputFlags): Output {
  const json = flags.json === true || flags.jsonl === true;
  const quiet = flags.quiet === true;
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY && process.env['CI'] === undefined;
  return {
    json,
    quiet,
    interactive: flags.input !== false && isTerminal,
    data(value, text) {
      if (!json) process.stdout.write(`${plain(text()).trimEnd()}\n`);
      else for (const one of flags.jsonl === true ? itemsOf(value) : [value]) writeJson(one);
    },
    write: (text) => void process.stdout.write(plain(text)),
    note(text) {
      if (!quiet) process.stderr.write(`${plain(text)}\n`);
    },
    progress(text) {
      if (quiet || json || !process.stderr.isTTY || process.env['CI'] !== undefined) return;
      const line = plain(text).replaceAll(/\s+/g, ' ');
      process.stderr.write(`\r\u001B[2K${line.slice(0, Math.max(20, process.stderr.columns - 1))}`);
    },
  };
}

function writeJson(value: object): void {
  process.stdout.write(`${plainJson({ v: 1, ...value })}\n`);
}

/** The first list in an answer; the answer itself where there is none. */
function itemsOf(value: object): readonly object[] {
  const list = Object.values(value).find((one) => Array.isArray(one)) as readonly unknown[] | undefined;
  return list?.map((item) => (typeof item === 'object' && item !== null ? item : { value: item })) ?? [value];
}

/** Says what happened, why and what to do, and ends with the status of the code. */
export function fail(error: unknown, flags: OutputFlags): never {
  const known = PeerAiError.is(error);
  const code = known ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const hint = known && typeof error.details['hint'] === 'string' ? error.details['hint'] : ownHints[code];
  if (flags.json === true || flags.jsonl === true) {
    writeJson({ error: { code, message, ...(hint === undefined ? {} : { hint }) } });
  } else {
    const remedy = hint === undefined ? '' : `  ${plain(hint)}\n`;
    process.stderr.write(`peerai: ${plain(message)}\n${remedy}${known ? `  (${plain(code)})\n` : ''}`);
  }
  if (flags.verbose === true) process.stderr.write(`${plain(detailsOf(error))}\n`);
  process.exit(known ? exitCodeOf(code) : exitCodes.failure);
}

/** For `--verbose`: where it happened and what lay beneath. */
function detailsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${detailsOf(error.cause)}`;
  return `${error.stack ?? error.message}${PeerAiError.is(error) ? `\n${plainJson(error.details)}` : ''}${cause}`;
}

const ownHints: Readonly<Record<string, string>> = {
  AGENT_NOT_RUNNING: 'Start it with `peerai up`.',
  TOKEN_WRONG: 'Is this the right --home? Each has its own token.',
  TOKEN_MISSING: 'Give --home (or PEERAI_HOME) of the agent, so that its token is found.',
  CONFIG_INVALID: '`peerai config schema` lists every key.',
  GROUP_UNKNOWN: '`peerai groups` lists those this peer is in.',
  DOCUMENT_UNKNOWN: '`peerai state` lists those this peer shares.',
  RUN_UNKNOWN: '`peerai train ls` lists runs, here and offered.',
  RUN_OVER: 'What it learned stays: peerai train ls. To go on, start another: peerai train start',
  RUN_ACTIVE: '`peerai train ls` shows which; `peerai train stop <run>` leaves it.',
  OFFER_UNKNOWN: 'Both devices must allow it: peerai peers allow <peer> train. Then: peerai train ls',
  ENGINE_MISSING: 'Install it beside the agent: npm install onnxruntime-node',
  NOT_OFFERED: 'Its owner offers with `peerai market offer <model> --price 0.5`. What there is: peerai market ls',
  CLUSTER_UNKNOWN: '`peerai cluster ls` lists those of this peer.',
  TASK_UNKNOWN: '`peerai tasks ls` lists tasks given and taken.',
  SHARE_UNKNOWN: '`peerai share ls` lists links to models, `peerai train links <run>` those into a run.',
  KEY_UNKNOWN: '`peerai key ls` lists them.',
  LEASE_UNKNOWN: '`peerai leases ls` lists leases of nodes, `peerai market leases` the others.',
  REPUTATION_LOW:
    'Its owner sees why with `peerai peers reputation <your name>`; what you do well there mends it, and deeds count half after 14 days.',
  NOT_IN_LOG: '`peerai ledger tail` shows the last entries with their numbers.',
  LENDING_OFF: 'Its owner lends with `peerai lend --nodes 64`. Who does: peerai nodes free',
  STORE_FULL: 'Make room on the disk, then start again; nothing that was confirmed is lost.',
  STORE_BROKEN: 'Move the damaged file away or restore a backup; the identity is in another file and stays.',
};
