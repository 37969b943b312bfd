import type { MarketOffersView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { credits, modelPrice } from './credits.ts';
import { market as words } from './strings.ts';
import { Whole } from './whole.tsx';

/** A model that a device offers, with a form that says what a lease of it locks. */
export function ModelOffer({ offer }: { readonly offer: MarketOffersView['models'][number] }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const { peerId, peerName, model, unitPriceMicro, tokensMax, minutesMax } = offer;
  const [tokens, setTokens] = useState(`${Math.min(20_000, tokensMax)}`);
  const [minutes, setMinutes] = useState(`${Math.min(60, minutesMax)}`);
  const wish = { tokens: Number(tokens), minutes: Number(minutes) };
  const lease = useMutation({
    mutationFn: () => client.leaseModel({ peer: peerId, model, ...wish }),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.market, exact: true }),
  });
  return (
    <li className="pad stack">
      <div>
        <p>
          {model}, {peerName}
        </p>
        <p className="small">{words.price(credits(unitPriceMicro))}</p>
        <p className="small muted">{words.most(count(tokensMax), plural(minutesMax, 'minute'))}</p>
      </div>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          lease.mutate();
        }}
      >
        <label className="field">
          {words.leaseTokens}
          <Whole value={tokens} max={tokensMax} onValue={setTokens} />
        </label>
        <label className="field">
          {words.leaseMinutes}
          <Whole value={minutes} max={minutesMax} onValue={setMinutes} />
        </label>
        {Number.isSafeInteger(wish.tokens) && (
          <p className="small muted">{words.leaseLocks(credits(modelPrice(unitPriceMicro, wish.tokens)))}</p>
        )}
        <div className="row">
          <Button type="submit" disabled={lease.isPending} aria-label={words.leaseOne(model, peerName)}>
            {words.lease}
          </Button>
        </div>
        <div role="status" className="small">
          {lease.isSuccess && <p>{words.leased(model, peerName)}</p>}
        </div>
        {lease.isError && <ErrorNote title={words.leaseFailed} error={lease.error} />}
      </form>
    </li>
  );
}
