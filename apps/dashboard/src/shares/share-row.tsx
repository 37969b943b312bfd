import type { ShareView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { ago, count, span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { UsageBar } from '../ui/people.tsx';
import { Sure } from '../ui/sure.tsx';
import { shares } from './strings.ts';

/** One link: what is left of it, who uses it, and the way to end it. */
export function ShareRow({
  share,
  nowMs,
  onShow,
}: {
  readonly share: ShareView;
  readonly nowMs: number;
  readonly onShow: () => void;
}): ReactNode {
  const { budget, used, reserved } = share.tokens;
  const active = share.state === 'active' && share.expiresMs > nowMs;
  const percent = budget === 0 ? 100 : Math.min(100, Math.round((used / budget) * 100));
  const state = share.state === 'active' && !active ? 'expired' : share.state;
  return (
    <li className={active ? 'pad stack' : 'pad stack stale'}>
      <div className="row">
        <b className="anywhere">{share.models.join(', ')}</b>
        <span className="push small">{active ? shares.left(span(share.expiresMs - nowMs)) : shares.states[state]}</span>
      </div>
      <p className="small">
        {shares.used(count(used), count(budget), share.guests.length, share.guestsMax)}
        {reserved > 0 && ` · ${shares.reserved(count(reserved))}`}
      </p>
      <UsageBar used={used} whole={budget} label={shares.usedPart(percent)} />
      {share.guests.length > 0 && (
        <ul className="guests">
          {share.guests.map((guest) => (
            <li key={guest.peerId} className="row">
              <State dot={guest.online ? 'direct' : 'offline'}>
                {guest.online ? shares.online : shares.away(ago(guest.lastSeenMs, nowMs))}
              </State>
              <span className="emoji" role="img" aria-label={shares.guest}>
                {guest.emoji.join('')}
              </span>
              <span className="push">{shares.tokens(count(guest.tokensUsed))}</span>
            </li>
          ))}
        </ul>
      )}
      {active && <Controls share={share} onShow={onShow} />}
    </li>
  );
}

function Controls({ share, onShow }: { readonly share: ShareView; readonly onShow: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const stop = useMutation({
    mutationFn: () => client.stopShare(share.id),
    onSuccess: (stopped) => applyEvent(cache, { type: 'share-changed', share: stopped }),
  });
  if (!sure) {
    return (
      <div className="row">
        <Button icon="share" onClick={onShow}>
          {shares.show}
        </Button>
        <Button look="bad" icon="stop" onClick={() => setSure(true)}>
          {shares.stop}
        </Button>
      </div>
    );
  }
  return (
    <Sure
      title={shares.stopSure}
      act={shares.stopNow}
      keep={shares.keep}
      doing={stop}
      onAct={() => stop.mutate()}
      onKeep={() => setSure(false)}
    />
  );
}
