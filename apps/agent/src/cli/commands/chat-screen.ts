import { createInterface, cursorTo, clearLine } from 'node:readline';
import type { Output } from '../output.ts';

/** Where a chat is shown and typed: lines that come do not tear the one that is being typed. */
export interface ChatScreen {
  /** One line of the chat; with `--json` one JSON object. */
  say(line: string, facts: object): void;
  /** What is typed, until `/exit`, the end of the input, or the signal. */
  typed(signal: AbortSignal): AsyncIterable<string>;
  close(): void;
}

/** Words that end a chat, as they always did. */
const exitWords = ['/exit', 'exit', 'quit', ':q'];

export function chatScreen(output: Output): ChatScreen {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !output.json;
  const terminal = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout } : {}),
    terminal: isTerminal,
    prompt: '> ',
  });
  // Raw terminals send Ctrl-C as a character; the command's own handling knows it as a signal.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  // Asked for at once: what is typed before somebody reads is kept.
  const lines = terminal[Symbol.asyncIterator]();
  let isOpen = true;
  terminal.once('close', () => {
    isOpen = false;
  });
  return {
    say(line, facts) {
      if (isTerminal) {
        cursorTo(process.stdout, 0);
        clearLine(process.stdout, 0);
      }
      // A text of several lines must not look like lines of the chat.
      output.data({ line: facts }, () => line.replaceAll(/\r?\n/gu, '\n  '));
      if (isTerminal && isOpen) terminal.prompt(true);
    },
    async *typed(signal) {
      if (signal.aborted) return;
      signal.addEventListener('abort', () => terminal.close(), { once: true });
      for await (const line of lines) {
        const text = line.trim();
        if (exitWords.includes(text.toLowerCase())) return;
        if (text !== '') yield text;
        else if (isTerminal) terminal.prompt();
      }
    },
    close: () => terminal.close(),
  };
}
