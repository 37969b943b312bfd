import { PeerAiError } from '@peerai/core-protocol';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

/** How a command speaks: data to stdout, everything else to stderr, both without another peer's control characters. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  /** A person sits at both ends. */
  readonly interactive: boolean;
  /** The answer: with `--json` one line with `"v":1`, else the text. */
  data(value: object, text: () => string): void;
  /** Raw answer text as it streams. */
  write(text: string): void;
  /** For people; silent with `--quiet`. */
  note(text: string): void;
}

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly color?: boolean | undefined;
  readonly input?: boolean | undefined;
}

export function createOutput(flags: OutputFlags): Output {
  const json = flags.json === true;
  const quiet = flags.quiet === true;
  const color = flags.color !== false && process.env['NO_COLOR'] === undefined && process.stdout.isTTY;
  return {
    json,
    quiet,
    color,
    interactive: flags.input !== false && process.stdin.isTTY && process.stderr.isTTY && process.env['CI'] === undefined,
    data(value, text) {
      process.stdout.write(json ? `${JSON.stringify({ v: 1, ...value })}\n` : `${plain(text()).trimEnd()}\n`);
    },
    write: (text) => void process.stdout.write(plain(text)),
    note(text) {
      if (!quiet) process.stderr.write(`${plain(text)}\n`);
    },
  };
}

/** Text of other peers and models must not steer a terminal: control characters but newline and tab are dropped. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- removing them is the point
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
}

/** Columns as wide as their longest cell, two blanks between. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ').trimEnd()).join('\n');
}

/** Says what happened, why and what to do, and ends with the status of the code. */
export function fail(error: unknown, flags: OutputFlags): never {
  const known = PeerAiError.is(error);
  const code = known ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const hint = known && typeof error.details['hint'] === 'string' ? error.details['hint'] : ownHints[code];
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ v: 1, error: { code, message, ...(hint === undefined ? {} : { hint }) } })}\n`);
  } else {
    process.stderr.write(`peerai: ${plain(message)}\n${hint === undefined ? '' : `  ${plain(hint)}\n`}${known ? `  (${code})\n` : ''}`);
  }
  if (!known && process.env['PEERAI_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(known ? exitCodeOf(code) : exitCodes.failure);
}

const ownHints: Readonly<Record<string, string>> = {
  AGENT_NOT_RUNNING: 'Start it with `peerai up`.',
  TOKEN_WRONG: 'Is this the right --home? `peerai status` shows where the agent keeps its token.',
  TOKEN_MISSING: 'Give --home (or PEERAI_HOME) of the agent, so that its token is found.',
  CONFIG_INVALID: '`peerai config schema` lists every key.',
  STORE_LOCKED: 'Another agent uses this folder: `peerai down` ends it, or give another --home.',
};
