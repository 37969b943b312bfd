import { useState, type ReactNode } from 'react';
import type { TabController } from './controller.ts';
import { consent as words } from './strings.ts';

/** How much of the time may be computed; it holds from the next step on. */
export function ShareField({ controller }: { readonly controller: TabController }): ReactNode {
  const [share, setShare] = useState(() => `${controller.share}`);
  return (
    <label className="field">
      {words.share}
      <select
        name="share"
        value={share}
        onChange={({ currentTarget }) => {
          setShare(currentTarget.value);
          controller.setShare(Number(currentTarget.value));
        }}
      >
        {Object.entries(words.shares).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
