import type { ReactNode } from 'react';

/** A whole number from 1 to `max`; the browser refuses a form with another one. */
export function Whole({
  value,
  max,
  onValue,
}: {
  readonly value: string;
  readonly max: number;
  readonly onValue: (value: string) => void;
}): ReactNode {
  return (
    <input type="number" required min={1} max={max} value={value} onChange={(event) => onValue(event.target.value)} />
  );
}
