import { useEffect, useRef, useState, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { levels, type Question } from './question.ts';
import { memory, search as words } from './strings.ts';

export function SearchForm({
  isAgain,
  onAsk,
}: {
  /** It was emptied: the button that did it is gone, and the focus comes here. */
  readonly isAgain: boolean;
  readonly onAsk: (ask: (before: Question) => Question) => void;
}): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isAgain) field.current?.focus();
  }, [isAgain]);
  const [text, setText] = useState('');
  const isText = text.trim() !== '';
  return (
    <Card title={words.title}>
      <form
        role="search"
        className="pad stack"
        onSubmit={(event) => {
          event.preventDefault();
          const fields = new FormData(event.currentTarget);
          const level = levels.find((one) => one === fields.get('level'));
          // A field of text.
          const tag = (fields.get('tag') as string).trim();
          const everywhere = isText && fields.get('everywhere') !== null;
          onAsk(({ turn }) => ({ text: text.trim(), tag, level, everywhere, turn: turn + 1 }));
        }}
      >
        <label className="field">
          {words.text}
          <input
            ref={field}
            type="search"
            value={text}
            maxLength={limits.memoryQuestionCharsMax}
            autoComplete="off"
            placeholder={words.hint}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <div className="pair">
          <label className="field">
            {words.tag}
            <input name="tag" maxLength={64} autoComplete="off" />
          </label>
          <label className="field">
            {words.level}
            <select name="level">
              <option value="">{words.anyLevel}</option>
              {levels.map((level) => (
                <option key={level} value={level}>
                  {memory.levels[level]}
                </option>
              ))}
            </select>
          </label>
        </div>
        <label className="opt">
          <input name="everywhere" type="checkbox" disabled={!isText} />
          <span>
            {words.everywhere} <small className="muted">{words.everywhereHint}</small>
          </span>
        </label>
        <Button look="primary" type="submit">
          {words.act}
        </Button>
      </form>
    </Card>
  );
}
