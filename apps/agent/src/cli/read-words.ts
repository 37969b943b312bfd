/** Global flags that take a value; they may stand before the verb. */
const withValue = new Set(['--home', '--api', '--timeout']);

export interface Words {
  readonly word: string | undefined;
  /** What follows the verb, and the flags that stood before it. */
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
}

/** Finds the verb; what stands after `--` is never a flag. */
export function readWords(args: readonly string[]): Words {
  const before: string[] = [];
  let at = 0;
  for (; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('-') || arg === '--version' || arg === '-V') break;
    before.push(arg);
    if (withValue.has(arg) && at + 1 < args.length) before.push(args[(at += 1)] ?? '');
  }
  const [word, ...after] = args.slice(at);
  const end = after.indexOf('--');
  const flags = [...before, ...(end < 0 ? after : after.slice(0, end))];
  const wantsHelp = flags.includes('--help') || flags.includes('-h');
  // Sub-verbs come first in `rest`, so flags from before the verb go behind it, but not behind `--`.
  const rest = end < 0 ? [...after, ...before] : [...after.slice(0, end), ...before, ...after.slice(end)];
  return { word, rest, wantsHelp };
}
