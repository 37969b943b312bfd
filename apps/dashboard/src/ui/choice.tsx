import type { ReactNode } from 'react';

/** One of some values, each with its words; the first unless said. */
export function Choice({
  label,
  name,
  words,
  chosen,
}: {
  readonly label: string;
  readonly name: string;
  readonly words: Readonly<Record<string, string>>;
  readonly chosen?: string;
}): ReactNode {
  return (
    <label className="field">
      {label}
      <select name={name} defaultValue={chosen}>
        {Object.entries(words).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}
