import type { TaskView } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';
import { tasks } from './strings.ts';

const dots: Readonly<Record<TaskView['status'], DotName>> = {
  pending: 'pending',
  assigned: 'pending',
  in_progress: 'relayed',
  completed: 'direct',
  failed: 'blocked',
  cancelled: 'offline',
  timeout: 'blocked',
  rejected: 'blocked',
};

/** Full when done, half while it runs, crossed when it went wrong. */
export const dotOf = ({ status }: TaskView): DotName => dots[status];

export const statusText = ({ status, cancelling }: TaskView): string =>
  cancelling ? tasks.cancelling : tasks.statuses[status];
