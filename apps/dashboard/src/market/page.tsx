import type { ReactNode } from 'react';
import { useMarket } from '../app/queries.ts';
import { PageHead } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { Balances } from './balances.tsx';
import { Leases } from './leases.tsx';
import { DeviceOffers, OwnOffers } from './offers.tsx';
import { Settled } from './settlement.tsx';
import { Rewards } from './rewards.tsx';
import { StorageLeases } from './storage.tsx';
import { OwnStorage, StorageOffers } from './storage-offers.tsx';
import { market as words } from './strings.ts';

export function MarketPage(): ReactNode {
  const market = useMarket();
  return (
    <>
      <PageHead title={words.title} lead={market.data?.unit} />
      <Region query={market} what={words.what}>
        {(view) => (
          <div className="stack">
            <Balances view={view} />
            <Leases view={view} />
            <DeviceOffers />
            <OwnOffers view={view} />
            <StorageLeases />
            <StorageOffers />
            <OwnStorage />
            <Rewards />
            <Settled view={view} />
          </div>
        )}
      </Region>
    </>
  );
}
