import type { DepositView, MarketView, MeteredLeaseView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useNodeLeases } from '../app/queries.ts';
import { bytes, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { credits } from './credits.ts';
import { Dispute } from './dispute.tsx';
import { NodeLease } from './node-leases.tsx';
import { nodes } from './node-words.ts';
import { OnChain } from './settlement.tsx';
import { market as words } from './strings.ts';

/** All three kinds, the newest first. */
export function Leases({ view: { leases, deposits } }: { readonly view: MarketView }): ReactNode {
  const ofNodes = useNodeLeases();
  return (
    <Card title={words.leases}>
      <Region query={ofNodes} what={nodes.leasesWhat}>
        {(other) => {
          const all = [
            ...leases.map((one) => ({
              sinceMs: one.sinceMs,
              row: <Lease key={one.id} {...{ lease: one, deposits }} />,
            })),
            ...other.leases.map((one) => ({
              sinceMs: one.sinceMs,
              row: <NodeLease key={one.id} {...{ lease: one, deposits }} />,
            })),
          ];
          if (all.length === 0) return <Empty title={words.leasesNone} text={words.leasesNoneText} />;
          return <ul className="rows">{all.toSorted((a, b) => b.sinceMs - a.sinceMs).map(({ row }) => row)}</ul>;
        }}
      </Region>
    </Card>
  );
}

interface LeaseProps {
  readonly lease: MeteredLeaseView;
  readonly deposits: readonly DepositView[];
}
function Lease({ lease, deposits }: LeaseProps): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const again = (): Promise<void> => cache.invalidateQueries({ queryKey: keys.market, exact: true });
  const settle = useMutation({ mutationFn: () => client.settleLease(lease.id), onSuccess: again });
  const dispute = async (reason: string) => {
    const done = await client.disputeLease(lease.id, reason);
    await again();
    return done;
  };
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
      <OnChain {...{ deposits, id: lease.id }} />
      <Dispute id={lease.id} name={name} mayEnd={mayEnd} onDispute={dispute}>
        <Button aria-label={words.settleOne(name)} disabled={settle.isPending} onClick={() => settle.mutate()}>
          {words.settle}
        </Button>
      </Dispute>
      {settle.isError && <ErrorNote title={words.failed} error={settle.error} />}
    </li>
  );
}
