import type { LedgerEntryView } from '@peerai/peer/control';
import { counted, shortId } from '../words.ts';

/** What this peer stated by itself, in a line; empty for a kind that this program does not know. */
export function statedText({ capsule, key, decision, checkpoint }: LedgerEntryView): string {
  if (decision !== undefined)
    return `block ${decision.height} of group ${decision.group.slice(0, 8)} · ${decision.block.slice(0, 16)}`;
  if (checkpoint !== undefined)
    return `log of ${shortId(checkpoint.origin)} with ${counted(checkpoint.size, 'entry', 'entries')} · ${checkpoint.root.slice(0, 16)}`;
  if (key !== undefined)
    return key.kind === 'revocation' ? 'this key is ended' : `${shortId(key.from)} goes on as ${shortId(key.to)}`;
  if (capsule === undefined) return '';
  const { capsule: id, author, bytes, level, parents } = capsule;
  const after = parents.length === 0 ? '' : ` · after ${counted(parents.length, 'other', 'others')}`;
  return `${level} · ${id.slice(0, 16)} by ${shortId(author)} · ${counted(bytes, 'byte', 'bytes')}${after}`;
}
