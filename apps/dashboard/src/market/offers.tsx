import type { MarketOffersView, MarketView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useModels } from '../app/queries.ts';
import { count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { CreditsField } from './credits-field.tsx';
import { credits } from './credits.ts';
import { ModelOffer } from './model-offer.tsx';
import { market as words } from './strings.ts';

/** What this peer offers, and a form to offer more. */
export function OwnOffers({ view: { offers } }: { readonly view: MarketView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const models = useModels();
  const show = (view: MarketView): void => {
    cache.setQueryData(keys.market, view);
  };
  const offer = useMutation({
    mutationFn: (fields: FormData) =>
      client.offerModel({ model: fields.get('model') as string, credits: fields.get('credits') as string }),
    onSuccess: show,
  });
  const withdraw = useMutation({ mutationFn: (model: string) => client.withdrawModel(model), onSuccess: show });
  const own = models.data?.models.filter(({ local }) => local).map(({ name }) => name) ?? [];
  return (
    <Card title={words.own}>
      {offers.length === 0 && <Empty title={words.ownNone} text={words.ownNoneText} />}
      <ul className="rows">
        {offers.map((one) => (
          <li key={one.model} className="pad row">
            <div>
              <p>{one.model}</p>
              <p className="small">{words.price(credits(one.unitPriceMicro))}</p>
              <p className="small muted">{words.most(count(one.tokensMax), plural(one.minutesMax, 'minute'))}</p>
            </div>
            <Button push aria-label={words.withdraw(one.model)} onClick={() => withdraw.mutate(one.model)}>
              {words.withdrawAct}
            </Button>
          </li>
        ))}
      </ul>
      {withdraw.isError && <ErrorNote title={words.failed} error={withdraw.error} />}
      {own.length > 0 && (
        <form
          className="pad stack"
          onSubmit={(event) => {
            event.preventDefault();
            offer.mutate(new FormData(event.currentTarget));
          }}
        >
          <label className="field">
            {words.offerModel}
            <select name="model" required>
              {own.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <CreditsField label={words.offerPrice} first="0.5" />
          <div className="row">
            <Button look="primary" type="submit" disabled={offer.isPending}>
              {words.offerAct}
            </Button>
          </div>
          {offer.isError && <ErrorNote title={words.offerFailed} error={offer.error} />}
        </form>
      )}
    </Card>
  );
}

/** What devices that are here offer; asked for when the page opens, and on demand. */
export function DeviceOffers(): ReactNode {
  const { client } = useApp();
  const offers = useQuery({
    queryKey: keys.marketOffers,
    queryFn: ({ signal }) => client.marketOffers(signal, 'model'),
  });
  return (
    <Card title={words.theirs} aside={<Button onClick={() => void offers.refetch()}>{words.look}</Button>}>
      <Region query={offers} what={words.theirsWhat}>
        {(view) => <Found view={view} />}
      </Region>
    </Card>
  );
}

function Found({ view: { models, unanswered } }: { readonly view: MarketOffersView }): ReactNode {
  // A device of an older version says no to the question itself.
  const silent = unanswered.filter(({ code }) => code !== 'REFUSED' && code !== 'NOT_GRANTED');
  return (
    <>
      {models.length === 0 && <p className="pad muted">{words.theirsNone}</p>}
      <ul className="rows">
        {models.map((one) => (
          <ModelOffer key={`${one.peerId} ${one.model}`} offer={one} />
        ))}
      </ul>
      {silent.length > 0 && (
        <p className="pad small muted">{words.unanswered(silent.map(({ peerName }) => peerName).join(', '))}</p>
      )}
    </>
  );
}
