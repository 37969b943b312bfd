import type { LedgerEntryView } from '@peerai/peer/control';
import { counted, creditsText, shortId } from '../words.ts';

/** What this peer stated by itself, in a line; empty for a kind that this program does not know. */
export function statedText(entry: LedgerEntryView): string {
  const { capsule, key, decision, checkpoint, lease, trainingClaim, messagesBefore } = entry;
  if (messagesBefore !== undefined)
    return `${counted(messagesBefore, 'message was', 'messages were')} kept here before this log said anything of messages`;
  if (trainingClaim !== undefined) return claimText(trainingClaim);
  if (lease !== undefined) return leaseText(lease);
  if (decision !== undefined)
    return `block ${decision.height} of group ${decision.group.slice(0, 8)} · ${decision.block.slice(0, 16)}`;
  if (checkpoint !== undefined)
    return `log of ${shortId(checkpoint.origin)} with ${counted(checkpoint.size, 'entry', 'entries')} · ${checkpoint.root.slice(0, 16)}`;
  if (key !== undefined)
    return key.kind === 'revocation' ? 'this key is ended' : `${shortId(key.from)} goes on as ${shortId(key.to)}`;
  if (entry.kind === 'settlement-key') return 'a key that is this peer’s where leases are paid on a chain';
  if (capsule === undefined) return '';
  const { capsule: id, author, bytes, level, parents } = capsule;
  const after = parents.length === 0 ? '' : ` · after ${counted(parents.length, 'other', 'others')}`;
  return `${level} · ${id.slice(0, 16)} by ${shortId(author)} · ${counted(bytes, 'byte', 'bytes')}${after}`;
}

function claimText(claim: NonNullable<LedgerEntryView['trainingClaim']>): string {
  const [place, id] = [`round ${claim.round + 1} of ${claim.run.slice(0, 8)}`, claim.commitment.slice(0, 8)];
  if (claim.kind === 'reveal') return `${place} · ${id} was to its update ${claim.update.slice(0, 8)}`;
  const again = claim.instead === null ? '' : `, in place of ${claim.instead.slice(0, 8)}`;
  return `${place} · commits to its update as ${id}${again}`;
}

function leaseText({
  what,
  lease,
  resource,
  subject,
  peers,
  micro,
  n,
  outcome,
  signed,
}: NonNullable<LedgerEntryView['lease']>): string {
  const [credits, id] = [`${creditsText(micro)} credits`, lease.slice(0, 12)];
  const by = signed ? 'signed ✓' : 'half signed';
  if (what === 'end')
    return `lease ${id} ${outcome ?? ''} · ${counted(n, 'receipt', 'receipts')}, ${credits} · ${signed ? by : `says ${shortId(peers[0])}`}`;
  if (what === 'receipt') return `lease ${id} · receipt ${n}, ${credits} so far · ${by}`;
  const things = { node: counted(Number(subject), 'node', 'nodes'), model: subject, storage: 'room for bytes' };
  const thing = resource === null ? subject : things[resource];
  return `lease ${id} · ${thing} of ${shortId(peers[0])} for ${shortId(peers[1])}, ${credits} at the most · ${by}`;
}
