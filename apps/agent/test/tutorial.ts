/** A tutorial in Markdown as the steps that a person follows: files to save and commands to type, each on the device that the text names. */
const devices = ['desk', 'laptop'] as const;
export type Device = (typeof devices)[number];

export interface Step {
  /** Where it stands in the Markdown, the first line 1. */
  readonly line: number;
  readonly on: readonly Device[];
  /** A file to save, or commands, one a line. */
  readonly save?: string;
  readonly text: string;
  /** The lines that the text shows as what these commands print; none where it shows nothing. */
  readonly shown: readonly string[];
}

interface Fence {
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The paragraph before it. */
  readonly said: string;
}

/** Throws for a block of which the text does not say on which device it is typed, or under which name it is saved. */
export function stepsOf(markdown: string): readonly Step[] {
  const steps: Step[] = [];
  for (const { line, language, text, said } of fencesOf(markdown)) {
    if (language === 'text') {
      const last = steps.pop();
      if (last === undefined) throw new Error(`line ${line}: output of nothing`);
      steps.push({ ...last, shown: [...last.shown, ...text.trimEnd().split('\n')] });
    } else if (language === 'bash') steps.push({ line, on: placeOf(said, line), text, shown: [] });
    else steps.push({ line, on: placeOf(said, line), save: nameOf(said, line), text, shown: [] });
  }
  return steps;
}

function fencesOf(markdown: string): readonly Fence[] {
  const fence = /^```(\w*)\n([^]*?)^```$/gmu;
  return [...markdown.matchAll(fence)].map(({ index, 1: language = '', 2: text = '' }) => {
    const before = markdown.slice(0, index).trimEnd();
    return {
      line: markdown.slice(0, index).split('\n').length,
      language,
      text,
      said: before.split('\n\n').slice(-1).join('').replaceAll('\n', ' '),
    };
  });
}

/** Its last sentence names one place and ends in a colon. */
function placeOf(said: string, line: number): readonly Device[] {
  const [sentence = ''] = said.split(/(?<=[.!?])\s+/u).slice(-1);
  const named = [...sentence.matchAll(/\bon (the desk|the laptop|both|either)\b/giu)].map(([, place = '']) => place);
  const [place] = named;
  if (place === undefined || named.length > 1 || !sentence.endsWith(':'))
    throw new Error(`line ${line}: it is not said on which device: "${sentence}"`);
  return devices.filter((device) => !place.startsWith('the ') || place === `the ${device}`);
}

function nameOf(said: string, line: number): string {
  const [, name] = /\bas `([\w.-]+)` on\b/u.exec(said) ?? [];
  if (name === undefined) throw new Error(`line ${line}: it is not said under which name this is saved`);
  return name;
}

/** Every command of `peerai` and every flag that the text between the blocks names. */
export function namedIn(markdown: string): { readonly commands: readonly string[]; readonly flags: readonly string[] } {
  const prose = markdown.replaceAll(/^```[^]*?^```$/gmu, '');
  const spans = [...prose.matchAll(/`([^`]+)`/gu)].map(([, span = '']) => span.replaceAll(/\s+/gu, ' '));
  return {
    commands: spans.filter((span) => span.startsWith('peerai ')),
    flags: spans.filter((span) => span.startsWith('--')),
  };
}
