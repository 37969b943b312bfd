import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { verbs } from '../verbs.ts';

export const completion: Verb = {
  run: command(
    'completion',
    'Completion for your shell: source <(peerai completion bash)',
    { shell: { type: 'positional', required: true, description: 'bash, zsh or fish' } } as const,
    async ({ args, output }) => {
      const words = await tree();
      const text = { bash, zsh, fish }[args.shell as 'bash'];
      if (text === undefined) throw new PeerAiError('USAGE', `"${args.shell}" is not known; use bash, zsh or fish`);
      const script = text(words);
      output.data({ shell: args.shell, script }, () => script);
    },
  ),
};

type Words = ReadonlyMap<string, readonly string[]>;

async function tree(): Promise<Words> {
  const entries = Object.entries(verbs).map(
    async ([name, { load }]) => [name, Object.keys((await load()).subs ?? {})] as const,
  );
  return new Map(await Promise.all(entries));
}

const cases = (words: Words, line: (name: string, subs: readonly string[]) => string): string =>
  [...words]
    .filter(([, subs]) => subs.length > 0)
    .map(([name, subs]) => line(name, subs))
    .join('\n');

function bash(words: Words): string {
  return `_peerai() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${[...words.keys()].join(' ')}" -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
${cases(words, (name, subs) => `    ${name}) COMPREPLY=($(compgen -W "${subs.join(' ')}" -- "$word")) ;;`)}
  esac
}
complete -F _peerai peerai
`;
}

function zsh(words: Words): string {
  return `#compdef peerai
_peerai() {
  if (( CURRENT == 2 )); then compadd ${[...words.keys()].join(' ')}; return; fi
  case "$words[2]" in
${cases(words, (name, subs) => `    ${name}) compadd ${subs.join(' ')} ;;`)}
  esac
}
compdef _peerai peerai
`;
}

function fish(words: Words): string {
  const top = `complete -c peerai -f -n __fish_use_subcommand -a '${[...words.keys()].join(' ')}'`;
  return `${top}\n${cases(words, (name, subs) => `complete -c peerai -f -n '__fish_seen_subcommand_from ${name}' -a '${subs.join(' ')}'`)}\n`;
}
