import type { TaskView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { usePeers, useTasks } from '../app/queries.ts';
import { ago, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { usableDevices } from '../ui/devices.tsx';
import { State } from '../ui/icon.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { UsageBar } from '../ui/people.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { form, tasks as words } from './strings.ts';
import { TaskForm } from './task-form.tsx';
import { dotOf, statusText } from './task-state.ts';
import { TaskSheet } from './task-sheet.tsx';

export function TasksPage(): ReactNode {
  const tasks = useTasks();
  const peers = usePeers();
  const [shownId, setShownId] = useState<string>();
  const shown = tasks.data?.tasks.find(({ id }) => id === shownId);
  const open = (tasks.data?.tasks ?? []).filter(({ endedMs }) => endedMs === null).length;
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <div className="cols">
        <Card title={words.list} aside={words.open(open)}>
          <Region query={tasks} what={words.what}>
            {(view) => <TaskList tasks={view.tasks} onShow={setShownId} />}
          </Region>
        </Card>
        <Card title={form.title}>
          <Region query={peers} what="devices">
            {(list) => <TaskForm devices={usableDevices(list)} />}
          </Region>
        </Card>
      </div>
      {shown !== undefined && <TaskSheet task={shown} onClose={() => setShownId(undefined)} />}
    </>
  );
}

function TaskList({
  tasks,
  onShow,
}: {
  readonly tasks: readonly TaskView[];
  readonly onShow: (id: string) => void;
}): ReactNode {
  const now = useNow(5_000);
  if (tasks.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <ul className="rows">
      {tasks.map((task) => (
        <TaskRow key={task.id} task={task} nowMs={now} onShow={() => onShow(task.id)} />
      ))}
    </ul>
  );
}

function TaskRow({
  task,
  nowMs,
  onShow,
}: {
  readonly task: TaskView;
  readonly nowMs: number;
  readonly onShow: () => void;
}): ReactNode {
  const { direction, peerName, type, title, percent, endedMs, createdMs, deadlineMs, status, message } = task;
  const isOpen = endedMs === null;
  const when = isOpen && deadlineMs !== null ? words.due(span(deadlineMs - nowMs)) : ago(endedMs ?? createdMs, nowMs);
  const done = Math.round(percent ?? 0);
  return (
    <li className={isOpen ? 'pad stack' : 'pad stack ended'}>
      <div className="row">
        <b className="anywhere">{title}</b>
        <span className="push small">{when}</span>
      </div>
      <div className="row small">
        <State dot={dotOf(task)}>{statusText(task)}</State>
        <span>
          {direction === 'given' ? words.to(peerName) : words.from(peerName)} · {type}
        </span>
        <Button look="quiet" push aria-label={words.showTask(title)} onClick={onShow}>
          {words.show}
        </Button>
      </div>
      {status === 'in_progress' && percent !== null && (
        <UsageBar used={done} whole={100} label={words.progress(done)} />
      )}
      {message !== null && <p className="small muted anywhere">{message}</p>}
    </li>
  );
}
