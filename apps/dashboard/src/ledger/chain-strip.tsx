import type { LedgerEntryView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { count } from '../shared/format.ts';
import { ledger as words } from './strings.ts';

/** Entries drawn. */
export const shownMax = 10;
const short = (hash: string): string => hash.slice(0, 4);

/** The newest of these entries as what they are: each names the hash of the one before. A link that does not match is drawn broken, and so is one the check found. */
export function ChainStrip({
  entries,
  badIndex,
}: {
  readonly entries: readonly LedgerEntryView[];
  readonly badIndex: number | undefined;
}): ReactNode {
  const shown = entries.slice(-shownMax);
  const isBroken = (place: number): boolean => {
    const one = shown[place];
    const before = shown[place - 1];
    return one?.index === badIndex || (before !== undefined && one !== undefined && one.previous !== before.hash);
  };
  const brokenAt = shown.findIndex((_, place) => isBroken(place));
  const label = words.chainLabel(count(shown[0]?.index ?? 0), count(shown.at(-1)?.index ?? 0));
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keys
    <div className="scroll" tabIndex={0} role="group" aria-label={label} ref={brokenAt < 0 ? showNewest : undefined}>
      <ol className="chain">
        {shown.map(({ index, kind, hash, previous }, place) => {
          const isAfter = brokenAt >= 0 && place > brokenAt;
          const isBad = place === brokenAt;
          return (
            <li key={index}>
              {place > 0 && (isBad ? <Torn /> : <span className={isAfter ? 'tie tie-after' : 'tie'} aria-hidden />)}
              <span className={`block${isBad ? ' block-bad' : ''}${isAfter ? ' block-after' : ''}`}>
                <b>#{count(index)}</b>
                <span>{kind}</span>
                <code>{short(hash)}</code>
                <span>
                  {words.after} <code>{short(previous)}</code>
                </span>
              </span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** A whole strip opens at its newest entry, which is what happened last. */
const showNewest = (element: HTMLElement | null): void => {
  if (element !== null) element.scrollLeft = element.scrollWidth;
};

/** A torn link may stand beside what is seen. */
const show = (element: HTMLElement | null): void => element?.scrollIntoView({ block: 'nearest', inline: 'center' });

function Torn(): ReactNode {
  return (
    <span className="torn" ref={show}>
      <svg viewBox="0 0 84 24" aria-hidden="true">
        <path d="M0 12h26l6-8 6 16M46 4l6 16 6-8h26" />
      </svg>
      {words.noMatch}
    </span>
  );
}
