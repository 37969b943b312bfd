import type { DotName } from './dots.ts';

/** The shape of a path's state. */
export function dotOf(path: 'local' | 'direct' | 'relayed' | 'http' | 'queued' | 'offline'): DotName {
  if (path === 'local' || path === 'direct') return 'direct';
  return path === 'offline' || path === 'queued' ? 'offline' : 'relayed';
}
