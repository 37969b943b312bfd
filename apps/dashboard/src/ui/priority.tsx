import type { ReactNode } from 'react';

/** How much something matters, `normal` unless said; the words say what each means here. */
export function PriorityField({
  label,
  words,
}: {
  readonly label: string;
  readonly words: Readonly<Record<string, string>>;
}): ReactNode {
  return (
    <label className="field">
      {label}
      <select name="priority" defaultValue="normal">
        {Object.entries(words).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}
