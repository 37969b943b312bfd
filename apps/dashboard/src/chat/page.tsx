import type { ModelView } from '@peerai/peer/control';
import { Link } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { useModels, useNode } from '../app/queries.ts';
import { isOpen, type AnswerTurn, type Turn } from '../shared/turns.ts';
import { Button } from '../ui/button.tsx';
import { Command } from '../ui/copy.tsx';
import { Composer } from '../ui/composer.tsx';
import { Region } from '../ui/region.tsx';
import { Announcer } from './announcer.tsx';
import { EvidenceSheet } from './evidence.tsx';
import { ModelPicker } from './picker.tsx';
import { chat } from './strings.ts';
import { TurnView } from './turn.tsx';

export function ChatPage(): ReactNode {
  const models = useModels();
  return (
    <>
      <h1 className="vh">{chat.title}</h1>
      <Region query={models} what={chat.what}>
        {(view) => {
          const choices = view.models;
          return choices.length === 0 ? <NoModel /> : <Talk models={choices} defaultModel={view.defaultModel} />;
        }}
      </Region>
    </>
  );
}

function Talk({
  models,
  defaultModel,
}: {
  readonly models: readonly ModelView[];
  readonly defaultModel: string;
}): ReactNode {
  const { conversation } = useApp();
  const turns = useSyncExternalStore(conversation.subscribe, () => conversation.turns);
  const node = useNode();
  const [chosen, setChosen] = useState<string>();
  const [evidence, setEvidence] = useState<AnswerTurn>();
  const [recalls, setRecalls] = useState(false);
  const model = chooseModel(models, [chosen, lastModel(turns), defaultModel]);
  const last = turns.at(-1);
  const busy = isOpen(last);
  useFollowing(last);
  const other = models.find((candidate) => candidate.name !== model.name && candidate.path !== 'offline')?.name;
  const ask = (text: string): void => conversation.ask(text, model.name, recalls);
  return (
    <div className="talk">
      <div className="head">
        <ModelPicker models={models} value={model.name} onChange={setChosen} />
        <label className="opt">
          <input type="checkbox" checked={recalls} onChange={(event) => setRecalls(event.target.checked)} />
          {chat.recall}
        </label>
        <p className="small">
          {model.local ? chat.here : chat.on(model.peerName, chat.paths[model.path])}
          {recalls && !model.local && ` · ${chat.publicOnly}`}
        </p>
        <div className="actions">
          {turns.length > 0 && (
            <Button icon="plus" onClick={() => conversation.clear()}>
              {chat.newChat}
            </Button>
          )}
        </div>
      </div>
      <section className="thread" aria-label={chat.conversation}>
        {turns.length === 0 && <Starters model={model} onAsk={ask} />}
        {turns.map((turn, i) => (
          <TurnView
            key={i}
            turn={turn}
            last={i === turns.length - 1}
            other={other}
            onAsk={ask}
            onAgain={(name) => {
              setChosen(name);
              conversation.askAgain(name);
            }}
            onStop={() => conversation.stop()}
            onEvidence={setEvidence}
          />
        ))}
        {turns.length > 0 && model.engine === 'nano' && <p className="small muted">{chat.nano}</p>}
      </section>
      <Announcer turn={last} />
      <Composer label={chat.message(onPeer(model))} note={noteOf(model)} busy={busy} onSend={ask} />
      {evidence !== undefined && (
        <EvidenceSheet
          turn={evidence}
          self={node.data?.name ?? chat.paths.local}
          onClose={() => setEvidence(undefined)}
        />
      )}
    </div>
  );
}

const onPeer = (model: ModelView): string => (model.local ? model.model : `${model.model} on ${model.peerName}`);

function noteOf(model: ModelView): string {
  if (model.local) return chat.local;
  return model.path === 'offline' ? chat.offline(model.peerName) : chat.sealed(model.peerName);
}

/** The first of these names that can answer, else the first model that can, else the first. */
function chooseModel(models: readonly ModelView[], names: readonly (string | undefined)[]): ModelView {
  const able = models.filter((model) => model.path !== 'offline');
  for (const name of names) {
    const found = able.find((model) => model.name === name);
    if (found !== undefined) return found;
  }
  return (able[0] ?? models[0]) as ModelView;
}

function lastModel(turns: readonly Turn[]): string | undefined {
  return turns.findLast((turn) => turn.role === 'assistant')?.model;
}

/** Keeps the newest words in sight, unless the reader has scrolled away from them. */
function useFollowing(last: Turn | undefined): void {
  useEffect(() => {
    const root = document.documentElement;
    const awayPx = root.scrollHeight - root.scrollTop - root.clientHeight;
    if (last?.role === 'user' || (isOpen(last) && awayPx < 160)) root.scrollTop = root.scrollHeight;
  }, [last]);
}

function Starters({ model, onAsk }: { readonly model: ModelView; readonly onAsk: (text: string) => void }): ReactNode {
  return (
    <div className="card pad stack">
      <h2>{chat.emptyTitle(onPeer(model))}</h2>
      {chat.starters.map((text) => (
        <Button key={text} wrap onClick={() => onAsk(text)}>
          {text}
        </Button>
      ))}
      {model.engine === 'nano' && <p className="small muted">{chat.nano}</p>}
    </div>
  );
}

function NoModel(): ReactNode {
  return (
    <div className="card pad stack">
      <h2>{chat.noModelTitle}</h2>
      <p className="muted">{chat.noModel}</p>
      <Command text={chat.noModelCommand} />
      <Link className="link" to="/models">
        {chat.seeModels}
      </Link>
    </div>
  );
}
