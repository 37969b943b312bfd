import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { IconButton } from '../ui/button.tsx';
import { chat } from './strings.ts';

export function Composer({
  label,
  note,
  busy,
  onSend,
}: {
  readonly label: string;
  readonly note: string;
  readonly busy: boolean;
  readonly onSend: (text: string) => void;
}): ReactNode {
  const [text, setText] = useState('');
  const send = (): void => {
    if (busy || text.trim() === '') return;
    onSend(text);
    setText('');
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
          title={chat.newLine}
          value={text}
          maxLength={limits.messageCharsMax}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <IconButton icon="send" look="primary" type="submit" label={chat.send} disabled={busy || text.trim() === ''} />
      </form>
      <p>{note}</p>
    </section>
  );
}
