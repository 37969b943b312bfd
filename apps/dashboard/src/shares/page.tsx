import type { ShareView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { useModels, useNode, useShares } from '../app/queries.ts';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { ShareForm } from './share-form.tsx';
import { ShareReady } from './share-ready.tsx';
import { ShareRow } from './share-row.tsx';
import { form, shares as words } from './strings.ts';

export function SharesPage(): ReactNode {
  const shares = useShares();
  const models = useModels();
  const node = useNode().data;
  const [shownId, setShownId] = useState<string>();
  const shown = shares.data?.find((share) => share.id === shownId);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <div className="cols">
        <Card title={words.live} aside={words.guestsConnected(connected(shares.data ?? []))}>
          <Region query={shares} what={words.what}>
            {(list) => <ShareList shares={list} onShow={setShownId} />}
          </Region>
        </Card>
        <Card title={form.title}>
          <Region query={models} what="models">
            {(view) => (
              <ShareForm models={view.models.filter((model) => model.local)} onMade={(share) => setShownId(share.id)} />
            )}
          </Region>
          {shown !== undefined && node !== undefined && (
            <ShareReady
              key={shown.id}
              share={shown}
              fingerprint={node.fingerprint}
              onClose={() => setShownId(undefined)}
            />
          )}
        </Card>
      </div>
    </>
  );
}

function ShareList({
  shares,
  onShow,
}: {
  readonly shares: readonly ShareView[];
  readonly onShow: (id: string) => void;
}): ReactNode {
  const now = useNow(5_000);
  if (shares.length === 0) return <Empty title={words.none} text={words.noneText} />;
  const ordered = shares.toSorted(
    (a, b) => Number(b.state === 'active') - Number(a.state === 'active') || b.createdMs - a.createdMs,
  );
  return (
    <ul className="rows">
      {ordered.map((share) => (
        <ShareRow key={share.id} share={share} nowMs={now} onShow={() => onShow(share.id)} />
      ))}
    </ul>
  );
}

function connected(shares: readonly ShareView[]): number {
  return new Set(shares.flatMap((share) => share.guests.filter((guest) => guest.online).map((guest) => guest.peerId)))
    .size;
}
