import type { ShareView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { useModels, useNode, useShares } from '../app/queries.ts';
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
      <div className="head">
        <h1>{words.title}</h1>
        <p>{words.lead}</p>
      </div>
      <div className="cols">
        <section className="card" aria-labelledby="links">
          <header>
            <h2 id="links">{words.live}</h2>
            <p className="small quiet push">{words.guestsConnected(connected(shares.data ?? []))}</p>
          </header>
          <Region query={shares} what={words.what}>
            {(list) => <ShareList shares={list} onShow={setShownId} />}
          </Region>
        </section>
        <section className="card" aria-labelledby="new-link">
          <header>
            <h2 id="new-link">{form.title}</h2>
          </header>
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
        </section>
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
  if (shares.length === 0) {
    return (
      <div className="pad stack">
        <h3>{words.none}</h3>
        <p className="muted">{words.noneText}</p>
      </div>
    );
  }
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
