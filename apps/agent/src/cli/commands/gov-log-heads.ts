import type { GovernanceDetail } from '@peerai/peer/control';
import { table } from '../plain.ts';
import { ago, counted } from '../words.ts';

type LogHeads = GovernanceDetail['logHeads'];

/** Why this peer's own log is not in the chain, or stays where it is. */
const whys: Readonly<Record<NonNullable<LogHeads['problem']>, string>> = {
  off: 'governance.log_heads is off: this peer’s own log is not told',
  'group-off': 'log-heads.every_minutes is 0: this group wants no heads',
  'log-closed': 'this peer’s log is closed: peerai ledger verify says why',
  behind:
    'the chain has more entries of this peer’s log than are here: an older copy was put back (peerai ledger repair)',
  'other-history': 'the chain has another history of this peer’s log: nothing more of it can be proven by this group',
};
const faults: Readonly<Record<LogHeads['faults'][0]['kind'], string>> = {
  forked: 'two roots for one size of its log',
  rollback: 'fewer entries than the chain has',
  inconsistent: 'a log that does not follow from the one that the chain has',
};

/** How far each member's log can be proven by the chain, and who said what no honest member says. */
export function logHeadsText({ everyMinutes, heads, faults: lies, problem }: LogHeads): string {
  const parts =
    heads.length === 0
      ? [
          everyMinutes === 0
            ? 'Logs: none'
            : `Logs: none yet; heads go in every ${counted(everyMinutes, 'minute', 'minutes')} at most`,
        ]
      : [
          table([
            ['LOG OF', 'PROVEN', 'BLOCK', 'SINCE'],
            ...heads.map(({ name, size, height, timeMs }) => [
              name,
              counted(size, 'entry', 'entries'),
              `${height}`,
              ago(timeMs),
            ]),
          ]),
        ];
  for (const { name, kind, saidSize, heldSize, height } of lies)
    parts.push(`LIED ${name} said ${faults[kind]}: ${saidSize} against ${heldSize}, in block ${height}`);
  if (problem !== null) parts.push(whys[problem]);
  return parts.join('\n');
}
