import type { LedgerEntryView } from '@peerai/peer/control';
import { counted, shortId } from '../words.ts';

/** What this peer stated by itself, in a line; empty for a kind that this program does not know. */
export function statedText({ capsule, key }: LedgerEntryView): string {
  if (key !== undefined)
    return key.kind === 'revocation' ? 'this key is ended' : `${shortId(key.from)} goes on as ${shortId(key.to)}`;
  if (capsule === undefined) return '';
  const { capsule: id, author, bytes, level, parents } = capsule;
  const after = parents.length === 0 ? '' : ` · after ${counted(parents.length, 'other', 'others')}`;
  return `${level} · ${id.slice(0, 16)} by ${shortId(author)} · ${counted(bytes, 'byte', 'bytes')}${after}`;
}
