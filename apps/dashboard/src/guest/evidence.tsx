/** @jsxImportSource preact */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { plural, roundTrip, shortId } from '../shared/format.ts';
import type { AnswerTurn } from '../shared/turns.ts';
import { Icon } from './parts.tsx';
import type { GuestLink, Invitation } from './session.ts';
import { evidence, guest } from './strings.ts';

/** Who answered over which path, what was signed, and what this page itself knows. */
export function EvidenceSheet({
  turn,
  invitation,
  link,
  onClose,
}: {
  readonly turn: AnswerTurn;
  readonly invitation: Invitation;
  readonly link: GuestLink | undefined;
  readonly onClose: () => void;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { servedBy } = turn;
  const receipt = servedBy?.receipt;
  const path = servedBy?.path ?? 'relayed';
  const ms = link === undefined || link.roundTripMs === 0 ? '' : ` · ${roundTrip(link.roundTripMs)}`;
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="evidence" onClose={onClose}>
      <header>
        <Icon name="lock" />
        <h2 id="evidence">{evidence.title}</h2>
        <button type="button" class="b b-0 b-i push" aria-label={guest.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <section>
        <p class={path === 'direct' ? 'hop' : 'hop hop-relayed'}>
          <span>{evidence.thisTab}</span>
          <i>
            {guest.paths[path]}
            {ms}
          </i>
          <span>{invitation.name}</span>
        </p>
        <ul class="proof stack">
          {receipt === undefined ? (
            <Line icon="warn">{evidence.none}</Line>
          ) : (
            <>
              <Line icon={receipt.signedBy === 'both' ? 'check' : 'warn'}>
                {receipt.signedBy === 'both' ? evidence.both(invitation.name) : evidence.one(invitation.name)}
                <small>{evidence.key(shortId(invitation.hex))}</small>
              </Line>
              <Line icon="check">
                {evidence.copy}
                <small>
                  {evidence.receipt(
                    shortId(receipt.requestId),
                    plural(receipt.promptTokens + receipt.answerTokens, 'token'),
                  )}
                </small>
              </Line>
            </>
          )}
        </ul>
      </section>
      <section>
        <h3>{evidence.knows}</h3>
        <p class="muted">{evidence.knowsText(invitation.name)}</p>
      </section>
      <section>
        <h3>{evidence.notProven}</h3>
        <p class="muted">{evidence.notProvenText(invitation.name)}</p>
      </section>
    </dialog>
  );
}

function Line({
  icon,
  children,
}: {
  readonly icon: 'check' | 'warn';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <li class={icon === 'warn' ? 'no' : ''}>
      <Icon name={icon} />
      <div>{children}</div>
    </li>
  );
}
