import type { Deed, ScoreLine } from '@peerai/ledger/reputation';

const one: Readonly<Record<Deed, readonly [one: string, many: string]>> = {
  answered: ['answer it gave, signed by both', 'answers it gave, signed by both'],
  'signed-for': ['answer it had from here and signed for', 'answers it had from here and signed for'],
  'task-done': ['task it did', 'tasks it did'],
  'lease-settled': ['lease that both settled', 'leases that both settled'],
  'dispute-won': ['dispute it won', 'disputes it won'],
  refused: ['question it was too busy for', 'questions it was too busy for'],
  'timed-out': ['answer that did not come in time', 'answers that did not come in time'],
  undelivered: ['answer or task it began and did not finish', 'answers or tasks it began and did not finish'],
  'wrong-work': ['answer that is not what it signed', 'answers that are not what it signed'],
  disputed: ['lease on which the two do not agree', 'leases on which the two do not agree'],
  'dispute-lost': ['dispute it lost', 'disputes it lost'],
  blocked: ['time its owner here blocked it', 'times its owner here blocked it'],
  equivocation: ['proof that it signed two histories of its log', 'proofs that it signed two histories of its log'],
  forgery: ['message under a signature that is not its own', 'messages under signatures that are not its own'],
  lie: ['statement that is shown to be false', 'statements that are shown to be false'],
};

export const deedText = (deed: Deed, times: number): string => `${times} ${one[deed][times === 1 ? 0 : 1]}`;

export function lineText(line: ScoreLine, nameOf: (peer: string) => string): string {
  if (line.reason === 'stranger') return 'where everybody begins';
  if (line.reason === 'said') return `what ${nameOf(line.teller)} says of it`;
  return deedText(line.reason, line.times);
}
