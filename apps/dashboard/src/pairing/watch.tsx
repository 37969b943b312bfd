import type { PendingPairing } from '@peerai/peer/control';
import { useLocation } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { usePairings } from '../app/queries.ts';
import { ago } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/note.tsx';
import { useNow } from '../ui/region.tsx';
import { PairSheet } from './pair-sheet.tsx';
import { pairing as words } from './strings.ts';

/** Devices that ask to be let in: said on every page, opened by itself on Home. */
export function PairingWatch(): ReactNode {
  const pending = usePairings().data?.pending ?? [];
  const [openId, setOpenId] = useState<string>();
  const waiting = pending.filter((pairing) => pairing.state === 'waiting');
  useOpening(waiting, setOpenId);
  const open = pending.find((pairing) => pairing.id === openId);
  return (
    <>
      {waiting.map((pairing) => (
        <WaitingNote key={pairing.id} pairing={pairing} onCompare={() => setOpenId(pairing.id)} />
      ))}
      {open !== undefined && <PairSheet key={open.id} pairing={open} onClose={() => setOpenId(undefined)} />}
    </>
  );
}

/** Opens each new request once, on Home, unless another dialog is being used. */
function useOpening(waiting: readonly PendingPairing[], open: (id: string) => void): void {
  const { pathname } = useLocation();
  const [seen] = useState(() => new Set<string>());
  useEffect(() => {
    const next = waiting.find((pairing) => !seen.has(pairing.id));
    if (next === undefined || pathname !== '/') return;
    seen.add(next.id);
    if (document.querySelector('dialog[open]') === null) open(next.id);
  }, [waiting, seen, pathname, open]);
}

function WaitingNote({
  pairing,
  onCompare,
}: {
  readonly pairing: PendingPairing;
  readonly onCompare: () => void;
}): ReactNode {
  const now = useNow();
  const incoming = pairing.direction === 'incoming';
  return (
    <Note
      kind="warn"
      icon="laptop"
      title={incoming ? words.wants(pairing.name) : words.waitsFor(pairing.name)}
      live
      side={<Button onClick={onCompare}>{words.compare}</Button>}
    >
      <p>{incoming ? words.asked(ago(pairing.sinceMs, now)) : words.waitsText}</p>
    </Note>
  );
}
