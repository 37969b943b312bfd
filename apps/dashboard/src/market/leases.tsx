import type { DepositView, MarketView, MeteredLeaseView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { bytes, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Sure } from '../ui/sure.tsx';
import { credits } from './credits.ts';
import { OnChain } from './settlement.tsx';
import { market as words } from './strings.ts';

export function Leases({ view: { leases, deposits } }: { readonly view: MarketView }): ReactNode {
  return (
    <Card title={words.leases}>
      {leases.length === 0 && <Empty title={words.leasesNone} text={words.leasesNoneText} />}
      <ul className="rows">
        {leases.map((one) => (
          <Lease key={one.id} lease={one} deposit={deposits.find(({ lease }) => lease === one.id)} />
        ))}
      </ul>
    </Card>
  );
}

interface LeaseProps {
  readonly lease: MeteredLeaseView;
  readonly deposit: DepositView | undefined;
}
function Lease({ lease, deposit }: LeaseProps): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const again = (): Promise<void> => cache.invalidateQueries({ queryKey: keys.market, exact: true });
  const settle = useMutation({ mutationFn: () => client.settleLease(lease.id), onSuccess: again });
  const dispute = useMutation({
    mutationFn: (reason: string) => client.disputeLease(lease.id, reason),
    async onSuccess() {
      setAsking(false);
      await again();
    },
  });
  const [reason, setReason] = useState('');
  const isModel = lease.resource === 'model';
  const name = isModel ? lease.model : words.room;
  const mayEnd = lease.state === 'active' || (lease.state === 'settled' && !lease.agreed);
  return (
    <li className="pad stack">
      <p className="row">
        <span>
          {name} {words.roles[lease.role]} {lease.peerName}
        </span>
        <span className="small quiet push">{words.states[lease.state]}</span>
      </p>
      <p className="small">
        {isModel
          ? words.used(count(lease.tokensUsed), count(lease.tokensMax), plural(lease.answers, 'answer'))
          : words.stored(bytes(lease.tokensMax), plural(lease.answers, 'proof'))}
      </p>
      <p className="small muted">
        {words.due(credits(lease.dueMicro), credits(lease.priceMicro))}
        {lease.lockedMicro === '0' ? '' : `, ${words.locked(credits(lease.lockedMicro))}`}
      </p>
      {deposit !== undefined && <OnChain deposit={deposit} />}
      {mayEnd && !asking && (
        <div className="row">
          <Button aria-label={words.settleOne(name)} disabled={settle.isPending} onClick={() => settle.mutate()}>
            {words.settle}
          </Button>
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
            download={words.evidenceFile(lease.id)}
            href={`data:application/json,${encodeURIComponent(dispute.data.evidence)}`}
          >
            {words.evidence}
          </a>
        </p>
      )}
      {settle.isError && <ErrorNote title={words.failed} error={settle.error} />}
    </li>
  );
}
