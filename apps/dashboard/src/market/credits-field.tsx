import type { ReactNode } from 'react';

/** An amount of credits with six places at the most, the field `credits` of its form. */
export function CreditsField({ label, first }: { readonly label: string; readonly first: string }): ReactNode {
  return (
    <label className="field">
      {label}
      <input
        name="credits"
        required
        inputMode="decimal"
        pattern="\d{1,3}(\.\d{1,6})?"
        defaultValue={first}
        autoComplete="off"
      />
    </label>
  );
}
