import type { DepositView, MarketView, SettlementView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useSettlement } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { coins, credits } from './credits.ts';
import { market as words } from './strings.ts';

/** In which books, or in which contract. The chain's node is asked only where there is one. */
export function Settled({ view: { settlement, deposits } }: { readonly view: MarketView }): ReactNode {
  const isOnChain = settlement === 'evm' || deposits.length > 0;
  return (
    <Card title={words.settled}>
      <p className="pad">{settlement === 'evm' ? words.inContract : words.inBooks}</p>
      {isOnChain && <Chain />}
    </Card>
  );
}

function Chain(): ReactNode {
  const settlement = useSettlement();
  return (
    <Region query={settlement} what={words.settledWhat}>
      {({ chain }) => chain !== null && <ChainFacts chain={chain} />}
    </Region>
  );
}

function ChainFacts({ chain }: { readonly chain: NonNullable<SettlementView['chain']> }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const payOut = useMutation({
    mutationFn: () => client.payOut(),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.settlement, exact: true }),
  });
  const { node, chainId, contract, address, balanceWei, creditWei, problem } = chain;
  const amount = (wei: string | null): string => (wei === null ? words.notKnown : words.coins(coins(wei)));
  const facts = [
    [words.node, words.nodeIs(node, chainId)],
    [words.contract, contract ?? words.contractNone],
    [words.address, address],
    [words.holds, amount(balanceWei)],
    [words.owed, amount(creditWei)],
  ] as const;
  return (
    <div className="pad stack">
      {problem !== null && <p>{words.nodeFailed(problem.message)}</p>}
      <Facts facts={facts} />
      {creditWei !== null && creditWei !== '0' && (
        <div className="row">
          <Button disabled={payOut.isPending} onClick={() => payOut.mutate()}>
            {words.payOut}
          </Button>
        </div>
      )}
      {payOut.data !== undefined && (
        <p role="status">
          {payOut.data.transaction === null
            ? words.nothingOwed
            : words.paidOut(coins(payOut.data.wei), payOut.data.gasUsed)}
        </p>
      )}
      {payOut.isError && <ErrorNote title={words.payOutFailed} error={payOut.error} />}
    </div>
  );
}

/** What lies on the chain for one lease, and this peer's own transactions. */
export function OnChain({
  deposits,
  id,
}: {
  readonly deposits: readonly DepositView[];
  readonly id: string;
}): ReactNode {
  const deposit = deposits.find(({ lease }) => lease === id);
  if (deposit === undefined) return null;
  const { state, amountMicro, paidMicro, failure, opened, closed } = deposit;
  const all = credits(amountMicro);
  const amounts = state === 'settled' ? words.deposit(credits(paidMicro), all) : words.depositAll(all);
  return (
    <div className="small muted">
      <p>
        {words.onChain[state]}: {amounts}
      </p>
      {failure !== null && <p>{words.triedAgain(failure.message)}</p>}
      {[[words.opened, opened] as const, [words.closed, closed] as const].map(
        ([name, done]) =>
          done !== null && (
            <p key={name} className="anywhere">
              {name}: {done.transaction}, {words.gas(done.gasUsed)}
            </p>
          ),
      )}
    </div>
  );
}
