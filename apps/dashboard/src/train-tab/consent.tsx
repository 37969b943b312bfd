import { useState, type ReactNode } from 'react';
import { bytes, count, plural, span } from '../shared/format.ts';
import { train } from '../training/strings.ts';
import { dataText, modelText } from '../training/run-state.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import type { TabController, TabState } from './controller.ts';
import { limits } from './limits.ts';
import { reasonOf } from './refusals.ts';
import { ShareField } from './share-field.tsx';
import { consent as words } from './strings.ts';

/** Who asks for what, what it takes and who sees what, in front of the yes to it. */
export function Consent({
  controller,
  state,
}: {
  readonly controller: TabController;
  readonly state: TabState;
}): ReactNode {
  const { visit, invitation, engineBytes } = state;
  const [nowMs] = useState(Date.now);
  if (visit === undefined || invitation === undefined) return null;
  const { offer, handed, expiresMs } = visit;
  const { name } = invitation;
  const engine = engineBytes === undefined ? words.engineUnknown : bytes(engineBytes);
  return (
    <>
      <p className="muted">{words.nothing}</p>
      <Card title={words.takes}>
        <div className="pad">
          <Facts
            facts={[
              [words.model, `${modelText(offer.plan)}, ${plural(offer.parameters, 'weight')}`],
              [words.runs, words.members(name, plural(offer.members, 'device'))],
              [words.progress, train.round(offer.round, offer.terms.rounds)],
              [words.engine, words.engineText(engine)],
              [words.state, bytes(offer.asks.firstBytes)],
              [words.data, handed === undefined ? words.noData : words.handed(bytes(handed.bytes), handed.name)],
              [words.each, words.inOut(bytes(offer.asks.roundBytesReceived), bytes(offer.asks.roundBytesSent))],
              [words.work, words.steps(count(offer.asks.stepsLeft))],
              [words.until, words.in(span(expiresMs - nowMs))],
            ]}
          />
        </div>
      </Card>
      <Card title={words.seen}>
        <ul className="pad stack">
          <li>{handed === undefined ? words.ownStays : words.handedStays(name)}</li>
          {handed !== undefined && <li>{words.ownStays}</li>}
          <li>{words.updates(name)}</li>
          <li>{words.members2}</li>
        </ul>
      </Card>
      <Card title={words.yours}>
        <ConsentForm controller={controller} state={state} />
      </Card>
    </>
  );
}

function ConsentForm({
  controller,
  state,
}: {
  readonly controller: TabController;
  readonly state: TabState;
}): ReactNode {
  const { visit, invitation, problem, graphicsBytes } = state;
  const handed = visit?.handed;
  const [isOwn, setOwn] = useState(handed === undefined);
  const [tooLong, setTooLong] = useState(false);
  const plan = visit?.offer.plan;
  const name = invitation?.name ?? '';
  const shown = tooLong ? { code: 'LIMIT_EXCEEDED', message: words.tooLong(bytes(limits.dataBytesMax)) } : problem;
  const start = async (fields: FormData): Promise<void> => {
    const file = fields.get('file');
    const isTooLong = isOwn && file instanceof File && file.size > limits.dataBytesMax;
    setTooLong(isTooLong);
    if (isTooLong) return;
    const own = isOwn && file instanceof File ? { name: file.name, text: await file.text() } : undefined;
    await controller.train(own, fields.has('graphics'));
  };
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        void start(new FormData(event.currentTarget));
      }}
    >
      {handed !== undefined && (
        <fieldset className="stack">
          <legend>{words.from}</legend>
          <label className="opt">
            <input type="radio" name="from" checked={!isOwn} onChange={() => setOwn(false)} />
            {words.fromHanded(name)}
          </label>
          <label className="opt">
            <input type="radio" name="from" checked={isOwn} onChange={() => setOwn(true)} />
            {words.fromOwn}
          </label>
        </fieldset>
      )}
      {isOwn && (
        <label className="field">
          {words.file}
          <input name="file" type="file" required />
          <span className="small muted anywhere">{plan !== undefined && dataText(plan)}</span>
        </label>
      )}
      <ShareField controller={controller} />
      {graphicsBytes !== undefined && (
        <label className="opt">
          <input name="graphics" type="checkbox" />
          {words.graphics(bytes(graphicsBytes))}
        </label>
      )}
      <label className="opt">
        <input name="accept" type="checkbox" required />
        {words.accept}
      </label>
      <div className="row">
        <Button look="primary" type="submit">
          {words.act}
        </Button>
      </div>
      {shown !== undefined && <Failed problem={shown} />}
    </form>
  );
}

function Failed({ problem }: { readonly problem: NonNullable<TabState['problem']> }): ReactNode {
  const [nowMs] = useState(Date.now);
  const { title, text } = reasonOf(problem, undefined, nowMs);
  return (
    <Note kind="bad" title={words.failed} live>
      <p>
        {title}. {text}
      </p>
    </Note>
  );
}
