import type { ReactNode } from 'react';
import { Choice } from './choice.tsx';

/** How much something matters, `normal` unless said; the words say what each means here. */
export function PriorityField({
  label,
  words,
}: {
  readonly label: string;
  readonly words: Readonly<Record<string, string>>;
}): ReactNode {
  return <Choice label={label} name="priority" words={words} chosen="normal" />;
}
