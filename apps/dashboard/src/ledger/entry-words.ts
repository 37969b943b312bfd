import type { LedgerEntryView } from '@peerai/peer/control';
import { credits } from '../market/credits.ts';
import { bytes, count, plural, span } from '../shared/format.ts';
import { entry as words } from './strings.ts';

type LeaseView = NonNullable<LedgerEntryView['lease']>;

/** What an entry is, as a sentence; the bare kind where this page does not know it, or its bytes are not of that kind. */
export function titleOf({
  kind,
  receipt,
  training,
  trainingClaim,
  message,
  messagesBefore,
  capsule,
  key,
  decision,
  checkpoint,
  lease,
}: LedgerEntryView): string {
  if (receipt !== undefined) return words.answer;
  if (training !== undefined) return words.trained;
  if (trainingClaim !== undefined) return words.claims[trainingClaim.kind];
  if (message !== undefined) return words.direction[message.direction];
  if (messagesBefore !== undefined) return words.messagesBefore(plural(messagesBefore, 'message'));
  if (capsule !== undefined) return words.capsules[capsule.level];
  if (key !== undefined) return words.keys[key.kind];
  if (decision !== undefined) return words.decided;
  if (checkpoint !== undefined) return words.standsFor;
  if (lease !== undefined) return leaseTitle(lease);
  return kind === 'settlement-key' ? words.settlementKey : kind;
}

/** The same with what matters most of it, for a list. */
export function lineOf(entry: LedgerEntryView): string {
  const { receipt, training, trainingClaim, decision, checkpoint, lease } = entry;
  if (receipt !== undefined) return `${receipt.model}, ${plural(receipt.promptTokens + receipt.answerTokens, 'token')}`;
  if (training !== undefined) return `${words.round} ${count(training.round + 1)}`;
  if (trainingClaim !== undefined) return words.claimed[trainingClaim.kind](count(trainingClaim.round + 1));
  if (checkpoint !== undefined) return words.checkpoint(plural(checkpoint.size, 'entry', 'entries'));
  if (decision !== undefined) return `${words.decision} ${count(decision.height)}`;
  if (lease !== undefined) return `${leaseTitle(lease)}, ${amountOf(lease)}`;
  return titleOf(entry);
}

/** Credits of a lease: of terms the most it may cost, else what is due. */
export function amountOf({ what, micro }: LeaseView): string {
  return words.amounts[what](credits(micro));
}

/** What is leased at the most, with its unit; null where the entry does not say it. */
export function leasedOf({ resource, subject, units }: LeaseView): string | null {
  if (resource === 'node' && subject !== '') return plural(Number(subject), 'node');
  if (units === null) return null;
  return resource === 'model' ? words.tokensOf(plural(units, 'token'), subject) : bytes(units);
}

/** What was used, with its unit: time of nodes, or room. */
export function heldOf({ resource, held }: LeaseView): string | null {
  if (held === null) return null;
  return resource === 'node' ? span(held) : bytes(held);
}

function leaseTitle({ what, resource, outcome }: LeaseView): string {
  if (outcome !== null) return words.outcomes[outcome];
  const of = resource === null ? '' : words.resources[resource];
  return what === 'terms' ? words.leased(of) : words.leaseSoFar(of);
}
