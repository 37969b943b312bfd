import type { EngineFinding } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { sentence } from '../shared/format.ts';
import { Command } from '../ui/copy.tsx';
import { State, Verdict } from '../ui/icon.tsx';
import { models as words } from './strings.ts';

/** What was looked for on this computer, and what answered. */
export function Engines({ findings }: { readonly findings: readonly EngineFinding[] }): ReactNode {
  if (findings.length === 0) return <p className="pad muted">{words.noEngines}</p>;
  return (
    <ul className="rows">
      {findings.map((finding) => (
        <li key={`${finding.kind} ${finding.url ?? ''}`} className="pad stack">
          <div className="row">
            <b>{finding.kind === 'unknown' ? words.server : finding.kind}</b>
            {finding.url !== undefined && <code className="muted anywhere">{finding.url}</code>}
            <span className="push small">
              {finding.state === 'found' && <Verdict state="ok">{words.findings.found}</Verdict>}
              {finding.state === 'absent' && <State dot="offline">{words.findings.absent}</State>}
              {finding.state === 'refused' && <Verdict state="look">{words.findings.refused}</Verdict>}
            </span>
          </div>
          <p className="small muted">{sentence(finding.detail)}</p>
          {finding.models.length > 0 && <p className="small">{finding.models.join(', ')}</p>}
        </li>
      ))}
    </ul>
  );
}

export function GetModel(): ReactNode {
  return (
    <div className="pad stack over">
      <h3>{words.get}</h3>
      <p className="muted">{words.getText}</p>
      <p className="small muted">{words.ollama}</p>
      {words.commands.ollama.map((command) => (
        <Command key={command} text={command} />
      ))}
      <p className="small muted">{words.llamaCpp}</p>
      {words.commands.llamaCpp.map((command) => (
        <Command key={command} text={command} />
      ))}
    </div>
  );
}
