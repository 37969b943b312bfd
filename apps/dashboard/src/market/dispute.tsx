import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { Sure } from '../ui/sure.tsx';
import { market as words } from './strings.ts';

/** Ends a lease without the other's yes, in a way that says why; then the evidence is there to be saved. `children` are other ways to end it. */
export function Dispute({
  id,
  name,
  mayEnd,
  onDispute,
  children,
}: {
  readonly id: string;
  readonly name: string;
  readonly mayEnd: boolean;
  readonly onDispute: (reason: string) => Promise<{ readonly evidence: string }>;
  readonly children?: ReactNode;
}): ReactNode {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const dispute = useMutation({ mutationFn: onDispute, onSuccess: () => setAsking(false) });
  return (
    <>
      {mayEnd && !asking && (
        <div className="row">
          {children}
          <Button look="bad" aria-label={words.disputeOne(name)} onClick={() => setAsking(true)}>
            {words.dispute}
          </Button>
        </div>
      )}
      {asking && (
        <Sure
          title={words.disputeTitle}
          act={words.disputeAct}
          doing={dispute}
          onAct={() => dispute.mutate(reason)}
          onKeep={() => setAsking(false)}
        >
          <p>{words.disputeText}</p>
          <label className="field">
            {words.reason}
            <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
          </label>
        </Sure>
      )}
      {dispute.data !== undefined && (
        <p>
          <a
            download={words.evidenceFile(id)}
            href={`data:application/json,${encodeURIComponent(dispute.data.evidence)}`}
          >
            {words.evidence}
          </a>
        </p>
      )}
    </>
  );
}
