import { utf8 } from '@peerai/core-protocol';
import { fileLimits } from './limits.ts';

/**
 * A foreign file's name as it is kept: the last part of a path, letters, figures, marks and `. _ - ( )` with single spaces, the rest as `_`; its ending stays when it is
 * cut. Never empty, never a path: it stands behind `<first figures of the id>-`.
 */
export function keptName(id: string, name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/u).at(-1) ?? '';
  const plain = last
    .replaceAll(/[^\p{L}\p{M}\p{N}._()\- ]/gu, '_')
    .replaceAll(/ +/gu, ' ')
    .trim();
  const named = plain === '' ? 'file' : plain;
  const dot = named.lastIndexOf('.');
  const ending = dot > 0 && utf8(named.slice(dot)).length <= 16 ? named.slice(dot) : '';
  let room = fileLimits.keptNameBytesMax - utf8(ending).length;
  let start = '';
  for (const letter of named.slice(0, named.length - ending.length)) {
    room -= utf8(letter).length;
    if (room < 0) break;
    start += letter;
  }
  // Some systems drop a dot or a space at the end.
  const kept = `${start}${ending}`.replace(/[. ]+$/u, '');
  return `${id.slice(0, 8)}-${kept === '' ? 'file' : kept}`;
}
