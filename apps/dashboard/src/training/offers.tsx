import type { TrainingOfferView, TrainingRunView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { useTrainingOffers } from '../app/queries.ts';
import { plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { JoinRun } from './join-run.tsx';
import { kindOf, modelText } from './run-state.ts';
import { offers as words, train } from './strings.ts';

/** What paired devices train now and we do not. */
export function Offers({ runs }: { readonly runs: readonly TrainingRunView[] }): ReactNode {
  const offers = useTrainingOffers();
  const [joining, setJoining] = useState<TrainingOfferView>();
  const isIn = (id: string): boolean => runs.some((run) => run.id === id && run.endedMs === null);
  return (
    <Card
      title={words.title}
      aside={
        <Button look="quiet" disabled={offers.isFetching} onClick={() => void offers.refetch()}>
          {offers.isFetching ? words.asking : words.again}
        </Button>
      }
    >
      <Region query={offers} what={words.what}>
        {(view) => {
          const open = view.offers.filter(({ id }) => !isIn(id));
          return (
            <>
              {open.length === 0 && <p className="pad muted">{words.none}</p>}
              <ul className="rows">
                {open.map((offer) => (
                  <OfferRow key={offer.id} offer={offer} onJoin={() => setJoining(offer)} />
                ))}
                {view.unanswered.map(({ peerId, name, message }) => (
                  <li key={peerId} className="pad small muted anywhere">
                    {words.away(name, message)}
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Region>
      {joining !== undefined && <JoinRun offer={joining} onClose={() => setJoining(undefined)} />}
    </Card>
  );
}

function OfferRow({ offer, onJoin }: { readonly offer: TrainingOfferView; readonly onJoin: () => void }): ReactNode {
  const { name, from, members, plan, round, terms } = offer;
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <span className="push small">{train.round(round, terms.rounds)}</span>
      </div>
      <p className="small muted anywhere">
        {train.kinds[kindOf(terms)]} {words.from(from.name, plural(members, 'device'))} · {modelText(plan)}
      </p>
      <div className="row">
        <Button aria-label={words.joinNamed(name)} onClick={onJoin}>
          {words.join}
        </Button>
      </div>
    </li>
  );
}
