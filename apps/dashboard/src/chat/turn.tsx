import type { ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { rate, sentence } from '../shared/format.ts';
import { isOpen, textAboveButtons, type AnswerTurn, type Turn } from '../shared/turns.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { Note } from '../ui/note.tsx';
import { dotOf } from '../shared/dot-of.ts';
import { chat } from './strings.ts';

export interface TurnActions {
  readonly onEvidence: (turn: AnswerTurn) => void;
  readonly onAsk: (text: string) => void;
  readonly onAgain: (model: string) => void;
  readonly onStop: () => void;
  /** Another model than the one that failed, when there is one. */
  readonly other: string | undefined;
  /** Only the last answer can be asked again. */
  readonly last: boolean;
}

export function TurnView({ turn, ...actions }: { readonly turn: Turn } & TurnActions): ReactNode {
  if (turn.role === 'user') {
    return (
      <div className="turn ask">
        <p className="said">{turn.text}</p>
      </div>
    );
  }
  const open = isOpen(turn);
  return (
    <article className="turn" aria-busy={open}>
      {turn.text !== '' && (
        <p className="said">
          {actions.last ? textAboveButtons(turn) : turn.text}
          {open && <span className="caret" aria-hidden="true" />}
        </p>
      )}
      {open ? <Running turn={turn} onStop={actions.onStop} /> : <Foot turn={turn} onEvidence={actions.onEvidence} />}
      <Sources turn={turn} />
      {turn.state === 'stopped' && <p className="small muted">{chat.stopped}</p>}
      {turn.state === 'failed' && <Failure turn={turn} {...actions} />}
      {turn.finish?.reason === 'length' && <p className="small muted">{chat.cutLength}</p>}
      <Suggestions turn={turn} {...actions} />
    </article>
  );
}

function Running({ turn, onStop }: { readonly turn: AnswerTurn; readonly onStop: () => void }): ReactNode {
  const { servedBy } = turn;
  return (
    <div className="row small muted">
      {servedBy === undefined ? (
        <State dot="pending">{chat.waiting(turn.model)}</State>
      ) : (
        <State dot={dotOf(servedBy.path)}>
          {servedBy.name} · {chat.paths[servedBy.path]} · {chat.answering}
        </State>
      )}
      <Button icon="stop" onClick={onStop}>
        {chat.stop}
      </Button>
    </div>
  );
}

/** `study-pc · direct · 42 tok/s · signed ✓`, opening to the evidence. */
function Foot({
  turn,
  onEvidence,
}: {
  readonly turn: AnswerTurn;
  readonly onEvidence: (turn: AnswerTurn) => void;
}): ReactNode {
  const { servedBy, finish } = turn;
  if (servedBy === undefined) return null;
  return (
    <button type="button" className="foot" onClick={() => onEvidence(turn)}>
      <State dot={dotOf(servedBy.path)}>
        {servedBy.name} · {chat.paths[servedBy.path]}
        {finish !== undefined && ` · ${rate(finish.tokensPerSecond)}`}
        {servedBy.signed === true && (
          <>
            {' · '}
            <span className="sig">{chat.signed}</span>
          </>
        )}
        {servedBy.signed !== true && servedBy.path !== 'local' && ` · ${chat.notSigned}`}
      </State>
      <u>{chat.evidence}</u>
    </button>
  );
}

/** What the model was given of the memory, by the numbers it may name. */
function Sources({ turn }: { readonly turn: AnswerTurn }): ReactNode {
  const sources = turn.finish?.sources;
  if (sources === undefined) return null;
  if (sources.length === 0) return <p className="small muted">{chat.nothingRecalled}</p>;
  return (
    <div className="small">
      <p className="muted">{chat.recalled}</p>
      <ul>
        {sources.map(({ id, summary, authorName, level, kind }, i) => (
          <li key={id}>
            [{i + 1}] {summary} <span className="muted">{chat.source(authorName, level, kind)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Failure({ turn, onAgain, other, last }: { readonly turn: AnswerTurn } & TurnActions): ReactNode {
  const peer = turn.servedBy?.name ?? turn.model;
  const { error } = turn;
  const title = turn.text === '' ? chat.beforeFirstWord(peer) : chat.middle(peer);
  return (
    <>
      <Note kind="warn" title={title}>
        {error !== undefined && <p>{sentence(error.message)}</p>}
        {error?.hint !== undefined && <p>{error.hint}</p>}
        {turn.text !== '' && <p>{chat.kept}</p>}
      </Note>
      {last && (
        <div className="row">
          <Button onClick={() => onAgain(turn.model)}>{chat.retry(peer)}</Button>
          {other !== undefined && <Button onClick={() => onAgain(other)}>{chat.askAnother(other)}</Button>}
        </div>
      )}
    </>
  );
}

function Suggestions({ turn, onAsk, last }: { readonly turn: AnswerTurn } & TurnActions): ReactNode {
  const suggestions = turn.finish?.suggestions ?? [];
  if (!last || suggestions.length === 0) return null;
  return (
    <div className="stack small" role="group" aria-label={chat.didYouMean}>
      <p className="muted">{chat.didYouMean}</p>
      <div className="row">
        {suggestions.slice(0, limits.suggestionsMax).map((text) => (
          <Button key={text} wrap onClick={() => onAsk(text)}>
            {text}
          </Button>
        ))}
      </div>
    </div>
  );
}
