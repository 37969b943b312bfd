import type { NodeView } from '../node/node.schema.ts';
import type { PeerSettings } from '../peer-world.ts';
import type { TaskView } from '../tasks/tasks.schema.ts';

/** Answers that run or wait and tasks that run, by how many of both this peer does at once; at most 1. */
export function workLoad(
  { active, queued, concurrentMax }: NodeView['answering'],
  tasks: readonly Pick<TaskView, 'direction' | 'status'>[],
  { tasksAtOnce = 1 }: Pick<PeerSettings, 'tasksAtOnce'>,
): number {
  const running = tasks.filter(({ direction, status }) => direction === 'taken' && status === 'in_progress').length;
  return Math.min(1, (active + queued + running) / Math.max(1, concurrentMax + tasksAtOnce));
}
