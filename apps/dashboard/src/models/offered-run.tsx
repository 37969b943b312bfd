import type { OfferedRunView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { bytes, plural } from '../shared/format.ts';
import { models } from './strings.ts';

/** A model file of another device that takes numbers, and how it is run from here. */
export function OfferedRun({ run }: { readonly run: OfferedRunView }): ReactNode {
  const { name, peerName, inputs, outputs } = run;
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <span className="small muted push">{models.own.tensors}</span>
      </div>
      <p className="small muted">
        {models.runs.facts(bytes(run.bytes), plural(inputs.length, 'input'), plural(outputs.length, 'output'))}
      </p>
      <p className="small anywhere">
        <code>{models.runs.command(name, peerName)}</code>
      </p>
    </li>
  );
}
