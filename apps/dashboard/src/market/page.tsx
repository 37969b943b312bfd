import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMarket } from '../app/queries.ts';
import { PageHead } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { Balances } from './balances.tsx';
import { FreeNodes } from './free-nodes.tsx';
import { Leases } from './leases.tsx';
import { Lending } from './lending.tsx';
import { OpenNodeLeases } from './node-leases.tsx';
import { DeviceOffers, OwnOffers } from './offers.tsx';
import { Settled } from './settlement.tsx';
import { Rewards } from './rewards.tsx';
import { StorageLeases } from './storage.tsx';
import { OwnStorage, StorageOffers } from './storage-offers.tsx';
import { market as words } from './strings.ts';

/** What is owed and agreed on first; what there is to be had behind it, a kind at a time. */
export function MarketPage(): ReactNode {
  const market = useMarket();
  const { part } = useSearch({ from: '/market' });
  return (
    <>
      <PageHead title={words.title} lead={market.data?.unit} />
      <nav className="parts" aria-label={words.parts}>
        {([undefined, 'models', 'storage', 'nodes'] as const).map((one) => (
          <Link
            key={one ?? 'books'}
            className="b"
            to="/market"
            search={one === undefined ? {} : { part: one }}
            activeOptions={{ exact: true }}
          >
            {words[one ?? 'books']}
          </Link>
        ))}
      </nav>
      {part === 'storage' ? (
        <div className="stack">
          <StorageLeases />
          <StorageOffers />
          <OwnStorage />
        </div>
      ) : part === 'nodes' ? (
        <div className="stack">
          <OpenNodeLeases />
          <FreeNodes />
          <Lending />
        </div>
      ) : (
        <Region query={market} what={words.what}>
          {(view) =>
            part === 'models' ? (
              <div className="stack">
                <DeviceOffers />
                <OwnOffers view={view} />
              </div>
            ) : (
              <div className="stack">
                <Balances view={view} />
                <Leases view={view} />
                <Rewards />
                <Settled view={view} />
              </div>
            )
          }
        </Region>
      )}
    </>
  );
}
