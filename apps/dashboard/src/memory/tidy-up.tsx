import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { clockTime, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { tidying as words } from './strings.ts';

/** Tidies up, or takes the last tidying back. */
export function TidyUp({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const again = async (): Promise<void> => {
    await Promise.all([keys.memory, keys.memoryOne].map((queryKey) => cache.invalidateQueries({ queryKey })));
  };
  const undo = useMutation({ mutationFn: () => client.undoConsolidation(), onSuccess: again });
  const tidy = useMutation({ mutationFn: () => client.consolidateMemory(), onSuccess: again });
  const isBusy = undo.isPending || tidy.isPending;
  return (
    <Sheet title={words.title} icon="memory" onClose={onClose}>
      <section className="stack">
        <p>{words.text}</p>
        <p className="small muted">{words.undoText}</p>
        <div className="row">
          <Button
            look="primary"
            disabled={isBusy}
            onClick={() => {
              undo.reset();
              tidy.mutate();
            }}
          >
            {tidy.isPending ? words.doing : words.act}
          </Button>
          <Button
            disabled={isBusy}
            onClick={() => {
              tidy.reset();
              undo.mutate();
            }}
          >
            {undo.isPending ? words.undoing : words.undo}
          </Button>
        </div>
        <div role="status" className="stack">
          {tidy.isSuccess && <Outcome {...tidy.data} />}
          {undo.isSuccess && (
            <p>{undo.data.restored === 0 ? words.nothingBack : words.restored(count(undo.data.restored))}</p>
          )}
        </div>
        {tidy.isError && <ErrorNote title={words.failed} error={tidy.error} />}
        {undo.isError && <ErrorNote title={words.undoFailed} error={undo.error} />}
      </section>
    </Sheet>
  );
}

function Outcome({
  expired,
  replaced,
  merged,
  undoUntilMs,
}: {
  readonly expired: number;
  readonly replaced: number;
  readonly merged: number;
  readonly undoUntilMs: number | null;
}): ReactNode {
  if (undoUntilMs === null) return <p>{words.nothing}</p>;
  return (
    <>
      <p>{words.done(plural(expired, 'memory', 'memories'), count(replaced), count(merged))}</p>
      <p className="small muted">{words.until(clockTime(undoUntilMs, Date.now()))}</p>
    </>
  );
}
