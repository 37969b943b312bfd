import type { DepositView, LeaseView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useNodeLeases } from '../app/queries.ts';
import { plural, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { credits } from './credits.ts';
import { Dispute } from './dispute.tsx';
import { nodes as words } from './node-words.ts';
import { OnChain } from './settlement.tsx';
import { market } from './strings.ts';

const isHeld = ({ state }: LeaseView): boolean => state === 'offered' || state === 'active';

/** What is held now, of others and by others. */
export function OpenNodeLeases(): ReactNode {
  const query = useNodeLeases();
  return (
    <Card title={words.held}>
      <Region query={query} what={words.leasesWhat}>
        {({ leases }) => {
          const held = leases.filter((one) => isHeld(one));
          if (held.length === 0) return <Empty title={words.heldNone} text={words.heldNoneText} />;
          return (
            <ul className="rows">
              {held.map((one) => (
                <NodeLease key={one.id} lease={one} />
              ))}
            </ul>
          );
        }}
      </Region>
    </Card>
  );
}

interface NodeLeaseProps {
  readonly lease: LeaseView;
  /** Without them it is not said what lies on the chain. */
  readonly deposits?: readonly DepositView[];
}
/** One lease of nodes, with the ways to end it. */
export function NodeLease({ lease, deposits }: NodeLeaseProps): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const again = async (): Promise<void> => {
    const changed = [keys.nodeLeases, keys.lending, keys.market];
    await Promise.all(changed.map((queryKey) => cache.invalidateQueries({ queryKey, exact: true })));
  };
  const end = useMutation({ mutationFn: () => client.giveBackNodes(lease.id), onSuccess: again });
  const dispute = async (reason: string) => {
    const done = await client.disputeNodes(lease.id, reason);
    await again();
    return done;
  };
  const { role, peerName, state, nodes, steps, heldMs, paidMicro, priceMicro, lockedMicro } = lease;
  const name = plural(nodes, 'node');
  return (
    <li className="pad stack">
      <p className="row">
        <span>
          {name} {market.roles[role]} {peerName}
        </span>
        <span className="small quiet push">{words.states[state]}</span>
      </p>
      <p className="small">{words.worked(plural(steps, 'vector'), span(heldMs))}</p>
      <p className="small muted">
        {market.due(credits(paidMicro), credits(priceMicro))}
        {lockedMicro === '0' ? '' : `, ${market.locked(credits(lockedMicro))}`}
      </p>
      <OnChain {...{ deposits: deposits ?? [], id: lease.id }} />
      <Dispute id={lease.id} name={name} mayEnd={state === 'active' || state === 'closing'} onDispute={dispute}>
        {state === 'active' && (
          <Button
            aria-label={words.giveBackOne[role](name, peerName)}
            disabled={end.isPending}
            onClick={() => end.mutate()}
          >
            {words.giveBack[role]}
          </Button>
        )}
      </Dispute>
      {end.isError && <ErrorNote title={market.failed} error={end.error} />}
    </li>
  );
}
