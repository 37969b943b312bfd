import type { FileView } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';
import { files } from './strings.ts';

const dots: Readonly<Record<FileView['state'], DotName>> = {
  waiting: 'pending',
  moving: 'relayed',
  done: 'direct',
  refused: 'blocked',
  expired: 'blocked',
  cancelled: 'offline',
  removed: 'offline',
};

/** Full when it is there, half while it goes, crossed when it went wrong. */
export const dotOf = ({ state }: FileView): DotName => dots[state];

export const isOnItsWay = ({ state }: FileView): boolean => state === 'moving' || state === 'waiting';

/** Whole only when the last piece is there. */
export const percentOf = ({ movedBytes, bytes }: FileView): number =>
  bytes === 0 ? 100 : Math.floor((100 * movedBytes) / bytes);

export function stateText(file: FileView): string {
  const { state, direction, peerName, code } = file;
  if (state === 'moving') return files.states.moving(percentOf(file));
  if (state === 'waiting') return files.states.waiting(peerName);
  if (state === 'done') return files.states.done[direction];
  return code === null || state === 'cancelled' ? files.states[state] : `${files.states[state]} (${code})`;
}
