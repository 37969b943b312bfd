/** @jsxImportSource preact */
import type { JSX } from 'preact';
import { dotOf } from '../shared/dot-of.ts';
import { rate, sentence } from '../shared/format.ts';
import { isOpen, textAboveButtons, type AnswerTurn, type Turn } from '../shared/turns.ts';
import { limits } from './limits.ts';
import { Icon, Note, State } from './parts.tsx';
import { refusalOf } from './refusals.ts';
import type { Invitation } from './session.ts';
import { guest } from './strings.ts';

export interface TurnProps {
  readonly invitation: Invitation | undefined;
  readonly connected: boolean;
  readonly linkLost: boolean;
  readonly last: boolean;
  readonly onAsk: (text: string) => void;
  readonly onAgain: () => void;
  readonly onStop: () => void;
  readonly onEvidence: (turn: AnswerTurn) => void;
}

export function TurnView({ turn, ...props }: { readonly turn: Turn } & TurnProps): JSX.Element {
  if (turn.role === 'user') {
    return (
      <div class="turn ask">
        <p class="said">{turn.text}</p>
      </div>
    );
  }
  const open = isOpen(turn);
  return (
    <article class="turn" aria-busy={open}>
      {turn.text !== '' && (
        <p class="said">
          {props.last ? textAboveButtons(turn) : turn.text}
          {open && <span class="caret" aria-hidden="true" />}
        </p>
      )}
      {open ? <Running turn={turn} {...props} /> : <Foot turn={turn} onEvidence={props.onEvidence} />}
      {turn.state === 'stopped' && <p class="small muted">{guest.stopped}</p>}
      {turn.finish?.reason === 'length' && <p class="small muted">{guest.cutLength}</p>}
      {turn.state === 'failed' && <Failure turn={turn} {...props} />}
      {props.last && <Suggestions turn={turn} onAsk={props.onAsk} />}
    </article>
  );
}

function Running({
  turn,
  invitation,
  connected,
  linkLost,
  onStop,
}: { readonly turn: AnswerTurn } & TurnProps): JSX.Element {
  const { servedBy } = turn;
  return (
    <div class="row small muted">
      {servedBy !== undefined && linkLost ? (
        <State dot="pending">{guest.pickingUp(servedBy.name)}</State>
      ) : servedBy === undefined ? (
        <State dot="pending">{connected ? guest.asking(invitation?.name ?? turn.model) : guest.waiting}</State>
      ) : (
        <State dot={dotOf(servedBy.path)}>
          {servedBy.name} · {guest.paths[servedBy.path]} · {guest.answering}
        </State>
      )}
      <button type="button" class="b" onClick={onStop}>
        <Icon name="stop" small />
        {guest.stop}
      </button>
    </div>
  );
}

function Foot({
  turn,
  onEvidence,
}: {
  readonly turn: AnswerTurn;
  readonly onEvidence: (turn: AnswerTurn) => void;
}): JSX.Element | null {
  const { servedBy, finish } = turn;
  if (servedBy === undefined) return null;
  return (
    <button type="button" class="foot" onClick={() => onEvidence(turn)}>
      <State dot={dotOf(servedBy.path)}>
        {servedBy.name} · {guest.paths[servedBy.path]}
        {finish !== undefined && ` · ${rate(finish.tokensPerSecond)}`} ·{' '}
        {servedBy.signed === true ? <span class="sig">{guest.signed}</span> : guest.notSigned}
      </State>
      <u>{guest.evidence}</u>
    </button>
  );
}

function Failure({ turn, invitation, last, onAgain }: { readonly turn: AnswerTurn } & TurnProps): JSX.Element | null {
  const { error } = turn;
  if (error === undefined) return null;
  const refusal = refusalOf(error.code, invitation, Date.now());
  // A link that is over is said once, below the talk.
  if (refusal?.final === true) return null;
  const name = invitation?.name ?? turn.model;
  const title = refusal?.title ?? (turn.text === '' ? guest.beforeFirstWord(name) : guest.middle(name));
  return (
    <Note kind="warn" icon="warn" title={title}>
      <p>{refusal?.text ?? sentence(error.message)}</p>
      {turn.text !== '' && <p>{guest.kept}</p>}
      {last && (
        <button type="button" class="b" onClick={onAgain}>
          {guest.retry}
        </button>
      )}
    </Note>
  );
}

function Suggestions({
  turn,
  onAsk,
}: {
  readonly turn: AnswerTurn;
  readonly onAsk: (text: string) => void;
}): JSX.Element | null {
  const suggestions = turn.finish?.suggestions ?? [];
  if (suggestions.length === 0) return null;
  return (
    <div class="stack small" role="group" aria-label={guest.didYouMean}>
      <p class="muted">{guest.didYouMean}</p>
      <div class="row">
        {suggestions.slice(0, limits.suggestionsMax).map((text) => (
          <button key={text} type="button" class="b b-wrap" onClick={() => onAsk(text)}>
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}
