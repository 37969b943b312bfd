import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { limits } from '../app/limits.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { levels, tagsOf } from './question.ts';
import { adding as words } from './strings.ts';

export function AddMemory({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const add = useMutation({
    mutationFn: (fields: FormData) =>
      client.remember({
        // Fields of text.
        text: fields.get('text') as string,
        tags: tagsOf(fields.get('tags') as string),
        level: levels.find((level) => level === fields.get('level')) ?? 'personal',
      }),
    onSuccess: async ({ capsule: { id } }) => {
      applyEvent(cache, { type: 'memory-changed', capsuleId: id, isHere: true });
      onClose();
      await navigate({ to: '/memory', search: { id } });
    },
  });
  return (
    <Sheet title={words.title} icon="memory" onClose={onClose}>
      <section>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate(new FormData(event.currentTarget));
          }}
        >
          <label className="field">
            {words.text}
            <textarea name="text" rows={5} required maxLength={limits.memoryTextCharsMax} />
          </label>
          <label className="field">
            {words.tags}
            <input name="tags" autoComplete="off" placeholder={words.tagsHint} />
          </label>
          <div className="stack" role="group" aria-label={words.level}>
            <p className="small muted">{words.level}</p>
            {levels.map((level) => (
              <label key={level} className="opt">
                <input type="radio" name="level" value={level} defaultChecked={level === 'personal'} />
                {words.levels[level]}
              </label>
            ))}
          </div>
          <Button look="primary" type="submit" disabled={add.isPending}>
            {add.isPending ? words.doing : words.act}
          </Button>
          {add.isError && <ErrorNote title={words.failed} error={add.error} />}
        </form>
      </section>
    </Sheet>
  );
}
