import type { CapsuleView } from '@peerai/peer/control';
import { memory } from './strings.ts';

export type Level = CapsuleView['level'];
export const levels: readonly Level[] = ['personal', 'behavioral', 'public'];

/** What is looked for; without a text, what is remembered is listed. */
export interface Question {
  readonly text: string;
  readonly tag: string;
  readonly level: Level | undefined;
  readonly everywhere: boolean;
  /** The same question asked again is another one. */
  readonly turn: number;
}

export const everything: Question = { text: '', tag: '', level: undefined, everywhere: false, turn: 0 };

const titleCharsMax = 80;

/** The first line of what it says, cut where it is long. */
export function titleOf({ summary, id }: Pick<CapsuleView, 'summary' | 'id'>): string {
  const [line = ''] = summary.trim().split('\n');
  if (line === '') return id.slice(0, 16);
  const chars = Array.from(line);
  return chars.length > titleCharsMax ? `${chars.slice(0, titleCharsMax).join('')}…` : line;
}

/** Between commas, each once. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
}

export const authorOf = ({ mine, authorName }: Pick<CapsuleView, 'mine' | 'authorName'>): string =>
  mine ? memory.you : authorName;
