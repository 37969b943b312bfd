import type { Check, DoctorView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { ago, sentence } from '../shared/format.ts';
import { Command } from '../ui/copy.tsx';
import { Verdict } from '../ui/icon.tsx';
import { Note } from '../ui/note.tsx';
import { useNow } from '../ui/region.tsx';
import { health } from './strings.ts';

const severity = { broken: 0, look: 1, ok: 2 } as const;

/** What needs a hand, each with its cause and one command; all fine is one line. */
export function Findings({ view, atMs }: { readonly view: DoctorView; readonly atMs: number }): ReactNode {
  const now = useNow(5_000);
  const findings = bySeverity(view.checks).filter((check) => check.state !== 'ok');
  if (findings.length === 0) {
    return (
      <Note kind="ok" title={health.allFine}>
        <p>{health.checksAgo(view.checks.length, ago(atMs, now))}</p>
      </Note>
    );
  }
  return findings.map((check) => (
    <Note key={check.id} kind={check.state === 'broken' ? 'bad' : 'warn'} title={check.title}>
      <p>{sentence(check.cause)}</p>
      {check.remedy !== undefined && <p>{sentence(check.remedy)}</p>}
      {check.command !== undefined && <Command text={check.command} />}
    </Note>
  ));
}

export function ChecksTable({ checks }: { readonly checks: readonly Check[] }): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{health.state}</th>
          <th scope="col">{health.whatColumn}</th>
          <th scope="col">{health.found}</th>
        </tr>
      </thead>
      <tbody>
        {bySeverity(checks).map((check) => (
          <tr key={check.id}>
            <td>
              <Verdict state={check.state}>{health.verdicts[check.state]}</Verdict>
            </td>
            <th scope="row">{check.title}</th>
            <td className="muted anywhere">{check.cause}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The report as text, for a bug report. */
export function reportOf(checks: readonly Check[]): string {
  return bySeverity(checks)
    .map((check) => `${health.verdicts[check.state]}\t${check.title}: ${check.cause}`)
    .join('\n');
}

function bySeverity(checks: readonly Check[]): readonly Check[] {
  return checks.toSorted((a, b) => severity[a.state] - severity[b.state]);
}
