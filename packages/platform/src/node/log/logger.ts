import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Logger } from '@peerai/core-protocol';
import { pino } from 'pino';
import { limits } from '../../limits.ts';
import { cleanFields, cleanText } from './clean.ts';
import { type LineSink, openRotatingFile } from './rotating-file.ts';
import { textLine } from './text-line.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto` is text where stderr is a terminal and JSON elsewhere; a file gets JSON. */
  readonly format: 'json' | 'text' | 'auto';
  /** Instead of stderr. */
  readonly file?: string | undefined;
  /** `size` in bytes; default 10 MB, five kept. */
  readonly rotate?: { readonly size: number; readonly keep: number };
  /** This peer's id, on every line as `peerId`; fields may name another as `peer`. */
  readonly peer?: string;
  /** Takes the lines instead of stderr or the file (tests). */
  readonly destination?: { write(line: string): void };
}
export interface ClosableLogger extends Logger {
  /** Lets the file go; later lines are dropped. Safe to call twice. */
  close(): void;
}

/**
 * The Logger port with pino: one JSON object a line (`level`, `time`, `peerId`, `event`, fields), or text for people on a terminal.
 *
 * Values under names like secret, token, key, passphrase, authorization, prompt or text are replaced, bytes become their count, and foreign
 * text is escaped and cut: a log holds no key, prompt or control character, whoever calls.
 */
export function createLogger(options: LoggerOptions): ClosableLogger {
  const sink = openSink(options);
  const asText = options.format === 'text' || (options.format === 'auto' && sink.terminal);
  const output = asText ? { write: (line: string) => sink.write(textLine(line, sink.terminal)) } : sink;
  const base = options.peer === undefined ? {} : { peerId: cleanText(options.peer) };
  const formatters = { level: (label: string) => ({ level: label }) };
  const timestamp = pino.stdTimeFunctions.isoTime;
  const log = pino({ level: options.level, base, formatters, timestamp, messageKey: 'event' }, output);
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (log.isLevelEnabled(level)) log[level](unreserved(cleanFields(fields)), cleanText(event));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    close: () => sink.close(),
  };
}

/** A field must not pass for the line's own. */
function unreserved(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name of ['level', 'time', 'event', 'peerId']) {
    if (!(name in fields)) continue;
    fields[`${name}_`] = fields[name];
    delete fields[name];
  }
  return fields;
}

function openSink({ destination, file, rotate }: LoggerOptions): LineSink & { readonly terminal: boolean } {
  if (destination !== undefined) return { write: (line) => destination.write(line), close() {}, terminal: false };
  if (file !== undefined) {
    const { size, keep } = rotate ?? { size: 10_000_000, keep: 5 };
    const sink = openRotatingFile({ path: file, bytesMax: size, keep: Math.min(keep, limits.logFilesKeptMax) });
    return { ...sink, terminal: false };
  }
  return { write: writeToStderr, close() {}, terminal: isatty(2) };
}

/** A closed or full stderr must not end the agent. */
function writeToStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nowhere left to say it.
  }
}
