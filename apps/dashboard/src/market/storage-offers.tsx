import type { StorageFoundView, StorageView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useStorage } from '../app/queries.ts';
import { bytes, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { CreditsField } from './credits-field.tsx';
import { credits, storagePrice } from './credits.ts';
import { storageAgain } from './storage-again.ts';
import { storage as words } from './storage-words.ts';
import { market } from './strings.ts';
import { Whole } from './whole.tsx';

const [megabyte, gigabyte, minuteMs] = [1_000_000, 1_000_000_000, 60_000];

/** What devices that are here offer, each with a form to lease some of it; asked for when the page opens, and on demand. */
export function StorageOffers(): ReactNode {
  const { client } = useApp();
  const offers = useQuery({ queryKey: keys.storageOffers, queryFn: ({ signal }) => client.storageOffers(signal) });
  return (
    <Card
      title={words.offers}
      aside={
        <Button aria-label={words.look} onClick={() => void offers.refetch()}>
          {market.look}
        </Button>
      }
    >
      <Region query={offers} what={words.offersWhat}>
        {(view) => (
          <>
            {view.offers.length === 0 && <p className="pad muted">{words.offersNone}</p>}
            <ul className="rows">
              {view.offers.map((one) => (
                <Offer key={one.peerId} offer={one} />
              ))}
            </ul>
          </>
        )}
      </Region>
    </Card>
  );
}

function Offer({ offer }: { readonly offer: StorageFoundView['offers'][number] }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const { peerId, peerName, unitPriceMicro, freeBytes, minutesMax } = offer;
  const [megabytes, setMegabytes] = useState('100');
  const [hours, setHours] = useState('24');
  const wish = { bytes: Number(megabytes) * megabyte, minutes: Number(hours) * 60 };
  const isWhole = Number.isSafeInteger(wish.bytes) && Number.isSafeInteger(wish.minutes);
  const lease = useMutation({
    mutationFn: () => client.leaseStorage({ peer: peerId, ...wish }),
    async onSuccess() {
      await Promise.all([storageAgain(cache), cache.invalidateQueries({ queryKey: keys.storageOffers })]);
    },
  });
  return (
    <li className="pad stack">
      <div>
        <p>{peerName}</p>
        <p className="small">{words.price(credits(unitPriceMicro))}</p>
        <p className="small muted">{words.free(bytes(freeBytes), span(minutesMax * minuteMs))}</p>
      </div>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          lease.mutate();
        }}
      >
        <label className="field">
          {words.megabytes}
          <Whole value={megabytes} max={Math.floor(freeBytes / megabyte)} onValue={setMegabytes} />
        </label>
        <label className="field">
          {words.hours}
          <Whole value={hours} max={Math.floor(minutesMax / 60)} onValue={setHours} />
        </label>
        {isWhole && <p className="small muted">{words.locks(credits(storagePrice(unitPriceMicro, wish)))}</p>}
        <div className="row">
          <Button type="submit" disabled={lease.isPending} aria-label={words.takeOf(peerName)}>
            {words.take}
          </Button>
        </div>
        <div role="status" className="small">
          {lease.isSuccess && <p>{words.taken(bytes(lease.data.lease.tokensMax), peerName)}</p>}
        </div>
        {lease.isError && <ErrorNote title={words.takeFailed} error={lease.error} />}
      </form>
    </li>
  );
}

/** What this peer offers, or a form to. */
export function OwnStorage(): ReactNode {
  const query = useStorage();
  return (
    <Card title={words.own}>
      <Region query={query} what={words.what}>
        {({ offer }) => (offer === null ? <OfferForm /> : <Offered offer={offer} />)}
      </Region>
    </Card>
  );
}

function Offered({ offer }: { readonly offer: NonNullable<StorageView['offer']> }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () => client.withdrawStorage(),
    onSuccess: (view) => cache.setQueryData(keys.storage, view),
  });
  return (
    <div className="pad stack">
      <div className="row">
        <div>
          <p>{words.ownFree(bytes(offer.freeBytes), bytes(offer.bytes))}</p>
          <p className="small">{words.price(credits(offer.unitPriceMicro))}</p>
        </div>
        <Button push aria-label={words.withdrawOwn} disabled={withdraw.isPending} onClick={() => withdraw.mutate()}>
          {words.withdraw}
        </Button>
      </div>
      {withdraw.isError && <ErrorNote title={words.withdrawFailed} error={withdraw.error} />}
    </div>
  );
}

function OfferForm(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const offer = useMutation({
    mutationFn: (fields: FormData) =>
      client.offerStorage({
        bytes: Math.round(Number(fields.get('gigabytes')) * gigabyte),
        credits: fields.get('credits') as string,
      }),
    onSuccess: (view) => cache.setQueryData(keys.storage, view),
  });
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        offer.mutate(new FormData(event.currentTarget));
      }}
    >
      <p className="muted">{words.ownText}</p>
      <label className="field">
        {words.gigabytes}
        <input name="gigabytes" type="number" required min={0.001} max={17_592} step={0.001} defaultValue="10" />
      </label>
      <CreditsField label={words.ownPrice} first="0.001" />
      <div className="row">
        <Button look="primary" type="submit" disabled={offer.isPending}>
          {words.offer}
        </Button>
      </div>
      {offer.isError && <ErrorNote title={words.offerFailed} error={offer.error} />}
    </form>
  );
}
