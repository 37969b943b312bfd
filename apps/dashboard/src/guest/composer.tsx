/** @jsxImportSource preact */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { limits } from './limits.ts';
import { Icon } from './parts.tsx';
import { guest } from './strings.ts';

export function Composer({
  label,
  models,
  model,
  busy,
  onModel,
  onSend,
  children,
}: {
  readonly label: string;
  readonly models: readonly string[];
  readonly model: string | undefined;
  readonly busy: boolean;
  readonly onModel: (model: string) => void;
  /** Whether it was taken. */
  readonly onSend: (text: string) => boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [text, setText] = useState('');
  const empty = text.trim() === '';
  return (
    <section class="composer" aria-label={label}>
      {models.length > 1 && (
        <label class="row small muted">
          {guest.model}
          <select value={model ?? models[0]} onChange={(event) => onModel(event.currentTarget.value)}>
            {models.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // What stands in the box: on a busy machine a key comes before the page is drawn with what was typed.
          const [box] = event.currentTarget.elements;
          if (onSend((box as HTMLTextAreaElement).value)) setText('');
        }}
      >
        <textarea
          rows={1}
          aria-label={label}
          placeholder={label}
          value={text}
          maxLength={limits.messageCharsMax}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }}
        />
        <button type="submit" class="b b-1 b-i" aria-label={guest.send} disabled={busy || empty}>
          <Icon name="send" />
        </button>
      </form>
      {children}
    </section>
  );
}
