import type { BalanceView, MarketView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { Card } from '../ui/page.tsx';
import { credits, partOf } from './credits.ts';
import { market as words } from './strings.ts';

const half = 100;
const height = 10;

/** Who owes whom: a bar to the left for what we owe, to the right for what is owed to us; as far as the limit reaches. */
export function Balances({ view: { balances, mostMicro } }: { readonly view: MarketView }): ReactNode {
  return (
    <Card title={words.balances}>
      {balances.length === 0 && <p className="pad muted">{words.balancesNone}</p>}
      <ul className="rows">
        {balances.map((one) => (
          <li key={one.peerId} className="pad stack">
            <p>{sentence(one)}</p>
            <Bar balance={one} most={mostMicro} />
            <p className="small muted">{words.locks(credits(one.lockedByUsMicro), credits(one.lockedByThemMicro))}</p>
          </li>
        ))}
      </ul>
      {balances.length > 0 && <p className="pad small muted">{words.limit(credits(mostMicro))}</p>}
    </Card>
  );
}

function sentence({ owesMicro, peerName }: BalanceView): string {
  const owes = BigInt(owesMicro);
  if (owes === 0n) return words.even(peerName);
  return owes > 0n ? words.weOwe(credits(owesMicro), peerName) : words.owesUs(credits(`${-owes}`), peerName);
}

/** Decoration beside the sentence that says the same. */
function Bar({ balance, most }: { readonly balance: BalanceView; readonly most: string }): ReactNode {
  const owes = partOf(balance.owesMicro, most) * half;
  const ours = partOf(balance.lockedByUsMicro, most) * half;
  const theirs = partOf(balance.lockedByThemMicro, most) * half;
  const [left, right] = [Math.max(0, owes), Math.max(0, -owes)];
  return (
    <svg className="balance" viewBox={`0 0 ${2 * half} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <rect className="balance-all" width={2 * half} height={height} />
      <rect className="balance-locked" x={Math.max(0, half - left - ours)} width={ours} height={height} />
      <rect className="balance-locked" x={half + right} width={Math.min(theirs, half - right)} height={height} />
      <rect className="balance-ours" x={half - left} width={left} height={height} />
      <rect className="balance-theirs" x={half} width={right} height={height} />
      <line className="balance-zero" x1={half} x2={half} y2={height} />
    </svg>
  );
}
