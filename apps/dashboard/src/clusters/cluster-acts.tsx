import type { ClusterView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { limits } from '../app/limits.ts';
import { plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Sure } from '../ui/sure.tsx';
import { drawTask, examplesOf, numbersOf } from './numbers.ts';
import { acts as words } from './strings.ts';

interface Of {
  readonly cluster: ClusterView;
}
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What can be done with a cluster. */
export function ClusterActs({ cluster }: Of): ReactNode {
  return (
    <>
      <Run cluster={cluster} />
      <Ask cluster={cluster} />
      <Learn cluster={cluster} />
      <Grow cluster={cluster} />
      <Remove cluster={cluster} />
    </>
  );
}

function Run({ cluster: { name, inputs } }: Of): ReactNode {
  const { client } = useApp();
  const run = useMutation({
    mutationFn: async (fields: FormData) => {
      const text = (fields.get('numbers') as string).trim();
      const fixed = text === '' ? undefined : numbersOf(text, inputs);
      if (text !== '' && fixed === undefined) throw new Error(words.badNumbers(inputs));
      const steps = Number(fields.get('steps'));
      const drawn = (): number[] => Array.from({ length: inputs }, () => Math.random() * 2 - 1);
      const stream = Array.from({ length: steps }, () => fixed ?? drawn());
      return await client.processCluster(name, { inputs: stream, everyMs: limits.clusterPauseMs });
    },
  });
  return (
    <Form title={words.run} text={words.runText} act={words.runAct} acting={words.running} doing={run}>
      <label className="field">
        {words.runInput}
        <input name="numbers" autoComplete="off" placeholder={words.runHint} />
      </label>
      <label className="field">
        {words.steps}
        <input name="steps" type="number" required min={1} max={limits.clusterStepsMax} defaultValue={40} />
      </label>
      {run.data !== undefined && <p role="status">{words.ran(plural(run.data.fired.flat().length, 'firing'))}</p>}
    </Form>
  );
}

function Ask({ cluster: { name, inputs } }: Of): ReactNode {
  const { client } = useApp();
  const ask = useMutation({
    mutationFn: async (fields: FormData) => {
      const input = numbersOf(fields.get('numbers') as string, inputs);
      if (input === undefined) throw new Error(words.badNumbers(inputs));
      return await client.askCluster(name, input);
    },
  });
  return (
    <Form title={words.ask} act={words.askAct} acting={words.askAct} doing={ask}>
      <label className="field">
        {words.askInput}
        <input name="numbers" autoComplete="off" required />
      </label>
      {ask.data !== undefined && (
        <p role="status">{words.answer(ask.data.label, percent(ask.data.shares[ask.data.label] ?? 0))}</p>
      )}
    </Form>
  );
}

function Learn({ cluster }: Of): ReactNode {
  const { client } = useApp();
  const field = useRef<HTMLTextAreaElement>(null);
  const learn = useMutation({
    mutationFn: async (fields: FormData) => {
      const examples = examplesOf(fields.get('examples') as string, cluster);
      if ('line' in examples) throw new Error(words.badExample(examples.line, cluster.inputs));
      return await client.teachCluster(cluster.name, { examples, passes: Number(fields.get('passes')) });
    },
  });
  const { data } = learn;
  return (
    <Form title={words.learn} text={words.learnText} act={words.learnAct} acting={words.learning} doing={learn}>
      <label className="field">
        {words.examples}
        <textarea ref={field} name="examples" rows={4} required spellCheck={false} />
      </label>
      {cluster.outputs === 2 && (
        <Button
          onClick={() => {
            if (field.current === null) return;
            field.current.value = drawTask(cluster.inputs, limits.clusterExamplesDrawn, Math.random);
          }}
        >
          {words.fill}
        </Button>
      )}
      <label className="field">
        {words.passes}
        <input name="passes" type="number" required min={1} max={limits.clusterPassesMax} defaultValue={4} />
      </label>
      {data !== undefined && (
        <p role="status">
          {words.learned(plural(data.presented, 'example'), percent(data.rightFirst), percent(data.rightLast))}
        </p>
      )}
    </Form>
  );
}

function Grow({ cluster: { name } }: Of): ReactNode {
  const { client } = useApp();
  const grow = useMutation({ mutationFn: () => client.growCluster(name) });
  const { data } = grow;
  return (
    <Form
      title={words.grow}
      text={words.growText}
      act={words.growAct}
      acting={words.growAct}
      doing={{ ...grow, mutate: () => grow.mutate() }}
    >
      {data !== undefined && (
        <p role="status">{words.grown(plural(data.split, 'node'), plural(data.strengthened, 'edge'), data.pruned)}</p>
      )}
    </Form>
  );
}

function Remove({ cluster: { name } }: Of): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => client.removeCluster(name),
    onSuccess: async () => {
      await navigate({ to: '/clusters', search: {} });
      applyEvent(cache, { type: 'cluster-changed', name, cluster: null });
    },
  });
  if (!asking)
    return (
      <div className="row">
        <Button look="bad" onClick={() => setAsking(true)}>
          {words.remove}
        </Button>
      </div>
    );
  return (
    <Sure
      title={words.removeTitle}
      act={words.removeAct}
      doing={remove}
      onAct={() => remove.mutate()}
      onKeep={() => setAsking(false)}
    >
      <p>{words.removeText}</p>
    </Sure>
  );
}

function Form({
  title,
  text,
  act,
  acting,
  doing,
  children,
}: {
  readonly title: string;
  readonly text?: string;
  readonly act: string;
  readonly acting: string;
  readonly doing: {
    readonly isPending: boolean;
    readonly error: Error | null;
    readonly mutate: (fields: FormData) => void;
  };
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <Card title={title}>
      <form
        className="pad stack"
        onSubmit={(event) => {
          event.preventDefault();
          doing.mutate(new FormData(event.currentTarget));
        }}
      >
        {text !== undefined && <p className="small muted">{text}</p>}
        {children}
        <div className="row">
          <Button look="primary" type="submit" disabled={doing.isPending}>
            {doing.isPending ? acting : act}
          </Button>
        </div>
        {doing.error !== null && <ErrorNote title={words.failed} error={doing.error} />}
      </form>
    </Card>
  );
}
