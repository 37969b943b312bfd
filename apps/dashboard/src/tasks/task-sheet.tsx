import type { TaskView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { applyEvent } from '../app/live.ts';
import { clockTime } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Region } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { form, tasks as words } from './strings.ts';
import { dotOf, statusText } from './task-state.ts';

/** One task: what was asked, where it stands, what came of it. */
export function TaskSheet({ task, onClose }: { readonly task: TaskView; readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const detail = useQuery({
    // Asked again when it moves on.
    queryKey: [...keys.tasks, task.id, task.status],
    queryFn: ({ signal }) => client.task(task.id, signal),
  });
  return (
    <Sheet title={task.title} icon="tasks" onClose={onClose}>
      <section>
        <TaskFacts task={task} />
        {task.endedMs === null && <Cancel task={task} />}
      </section>
      <Region query={detail} what={words.what}>
        {({ description, result }) => (
          <>
            {result !== null && (
              <section>
                <h3>{words.result}</h3>
                <p className="written">{textOf(result)}</p>
              </section>
            )}
            <section>
              <h3>{words.task}</h3>
              <p className={description === null ? 'muted' : 'written'}>{description ?? words.gone}</p>
            </section>
          </>
        )}
      </Region>
    </Sheet>
  );
}

function TaskFacts({ task }: { readonly task: TaskView }): ReactNode {
  const state = (
    <>
      <State dot={dotOf(task)}>{statusText(task)}</State>{' '}
      {task.direction === 'given' ? words.to(task.peerName) : words.from(task.peerName)}
    </>
  );
  return (
    <Facts
      facts={[
        [words.state, state],
        [words.type, task.type],
        [words.priority, form.priorities[task.priority]],
        [words.given, clockTime(task.createdMs, Date.now())],
        [words.attempts, task.attempts === 0 ? null : words.times(task.attempts)],
        [words.says, task.message],
        [words.code, task.code],
        [words.id, task.id],
      ]}
    />
  );
}

function Cancel({ task }: { readonly task: TaskView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => client.cancelTask(task.id),
    onSuccess: (changed) => applyEvent(cache, { type: 'task-changed', task: changed }),
  });
  return (
    <div className="row">
      <Button look="bad" icon="stop" disabled={cancel.isPending || task.cancelling} onClick={() => cancel.mutate()}>
        {task.cancelling ? words.cancelling : words.cancel}
      </Button>
      {cancel.isError && <ErrorNote title={words.cancelFailed} error={cancel.error} />}
    </div>
  );
}

/** A model's text where there is one, else the JSON. */
function textOf(result: unknown): string {
  if (typeof result === 'string') return result;
  const text = typeof result === 'object' && result !== null && 'text' in result ? result.text : undefined;
  return typeof text === 'string' ? text : JSON.stringify(result, null, 2);
}
