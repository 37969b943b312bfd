import type { NodesView } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { count, plural, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { BorrowForm } from './borrow-form.tsx';
import { credits } from './credits.ts';
import { Measured } from './measured.tsx';
import { nodes as words } from './node-words.ts';
import { market } from './strings.ts';

const minuteMs = 60_000;

/** Devices that lend to this one, those on a machine with time first; asked for when the page opens, and on demand. */
export function FreeNodes(): ReactNode {
  const { client } = useApp();
  const found = useQuery({ queryKey: keys.freeNodes, queryFn: ({ signal }) => client.freeNodes(signal) });
  return (
    <Card
      title={words.free}
      aside={
        <Button aria-label={words.look} onClick={() => void found.refetch()}>
          {market.look}
        </Button>
      }
    >
      <Region query={found} what={words.freeWhat}>
        {({ peers, unanswered }) => {
          // A device of an older version says no to the question itself.
          const silent = unanswered.filter(({ code }) => code !== 'REFUSED' && code !== 'NOT_GRANTED');
          return (
            <>
              {peers.length === 0 && <p className="pad muted">{words.freeNone}</p>}
              <ul className="rows">
                {peers.map((one) => (
                  <Lender key={one.peerId} lender={one} />
                ))}
              </ul>
              {silent.length > 0 && (
                <p className="pad small muted">{words.unanswered(silent.map(({ name }) => name).join(', '))}</p>
              )}
            </>
          );
        }}
      </Region>
    </Card>
  );
}

function Lender({ lender }: { readonly lender: NodesView['peers'][number] }): ReactNode {
  const { name, nodes, free, nodeHourMicro, minutesMax, isFree, why } = lender;
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="pad stack">
      <div className="row">
        <div>
          <p>{name}</p>
          <p className="small">{words.freeOf(count(free), plural(nodes, 'node'))}</p>
          <p className="small muted">{words.price(credits(nodeHourMicro), span(minutesMax * minuteMs))}</p>
        </div>
        {free > 0 && (
          <Button push aria-expanded={isOpen} aria-label={words.borrowOf(name)} onClick={() => setOpen(!isOpen)}>
            {words.borrow}
          </Button>
        )}
      </div>
      <Measured of={lender} />
      {!isFree && <p className="small muted">{words.busy(why.join(', '))}</p>}
      {isOpen && <BorrowForm lender={lender} />}
    </li>
  );
}
