import { useEffect, useRef, useState, type ReactNode } from 'react';
import { nextSentences } from '../shared/sentences.ts';
import { isOpen, type Turn } from '../shared/turns.ts';

/** Reads a growing answer to screen readers by whole sentences; the thread itself stays silent. */
export function Announcer({ turn }: { readonly turn: Turn | undefined }): ReactNode {
  const [spoken, setSpoken] = useState('');
  const reader = useRef({ upTo: 0, reading: false });
  const text = turn?.role === 'assistant' ? turn.text : '';
  const open = isOpen(turn);
  useEffect(() => {
    const place = reader.current;
    if (open && !place.reading) Object.assign(place, { upTo: 0, reading: true });
    if (!place.reading) return;
    const next = nextSentences(text, place.upTo, !open);
    place.upTo = next.upTo;
    place.reading = open;
    if (next.spoken !== '') setSpoken(next.spoken);
  }, [text, open]);
  return (
    <p className="vh" aria-live="polite">
      {spoken}
    </p>
  );
}
