import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { IconButton } from './button.tsx';
import { ui } from './strings.ts';

/** A line that grows: Enter sends, Shift and Enter begin a new line. */
export function Composer({
  label,
  note,
  busy,
  onSend,
}: {
  readonly label: string;
  readonly note: string;
  readonly busy: boolean;
  /** Where it fails, the text comes back. */
  readonly onSend: (text: string) => void | Promise<unknown>;
}): ReactNode {
  const [text, setText] = useState('');
  const send = (): void => {
    if (busy || text.trim() === '') return;
    setText('');
    Promise.resolve(onSend(text)).catch(() => setText((typed) => (typed === '' ? text : typed)));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <section className="composer" aria-label={label}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          rows={1}
          aria-label={label}
          placeholder={label}
          title={ui.newLine}
          value={text}
          maxLength={limits.messageCharsMax}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <IconButton icon="send" look="primary" type="submit" label={ui.send} disabled={busy || text.trim() === ''} />
      </form>
      <p>{note}</p>
    </section>
  );
}
