import type { ReactNode } from 'react';
import { useDoctor, useNode, usePeers } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Card, PageHead } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { ChecksTable, Findings, reportOf } from './checks.tsx';
import { DeviceCard, TrafficCard } from './device-cards.tsx';
import { LedgerCard } from './ledger-card.tsx';
import { CrawlCard, OlderPeersCard } from './network-cards.tsx';
import { health } from './strings.ts';

export function HealthPage(): ReactNode {
  const doctor = useDoctor();
  const node = useNode();
  const peers = usePeers();
  const checks = doctor.data?.checks ?? [];
  const number = (state: string): number => checks.filter((check) => check.state === state).length;
  return (
    <>
      <PageHead
        title={health.title}
        lead={
          checks.length === 0
            ? undefined
            : health.summary(checks.length, number('ok'), number('look'), number('broken'))
        }
      >
        {checks.length > 0 && <CopyButton text={reportOf(checks)}>{health.copy}</CopyButton>}
        <Button look="primary" disabled={doctor.isFetching} onClick={() => void doctor.refetch()}>
          {doctor.isFetching ? health.checking : health.again}
        </Button>
      </PageHead>
      {doctor.data !== undefined && <Findings view={doctor.data} atMs={doctor.dataUpdatedAt} />}
      <div className="cols">
        <Card title={health.checks}>
          <Region query={doctor} what={health.what}>
            {(view) => (
              <div className="scroll" tabIndex={0} role="group" aria-label={health.checks}>
                <ChecksTable checks={view.checks} />
              </div>
            )}
          </Region>
        </Card>
        <div className="stack">
          <LedgerCard />
          <Region query={peers} what="traffic">
            {(list) => <TrafficCard peers={list} />}
          </Region>
        </div>
      </div>
      <div className="cols">
        <CrawlCard />
        <OlderPeersCard />
      </div>
      <Region query={node} what="this device">
        {(view) => <DeviceCard node={view} />}
      </Region>
    </>
  );
}
