import type { TrainingRunView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { applyEvent } from '../app/live.ts';
import { bytes } from '../shared/format.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sure } from '../ui/sure.tsx';
import { run as words } from './strings.ts';

/** Leave while it goes; then take the model, or remove it all. */
export function RunActs({ run }: { readonly run: TrainingRunView }): ReactNode {
  return run.endedMs === null ? <Leave run={run} /> : <Over run={run} />;
}

function Leave({ run: { id, name, role } }: { readonly run: TrainingRunView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const stop = useMutation({
    mutationFn: () => client.stopTraining(id),
    onSuccess: (run) => applyEvent(cache, { type: 'training-changed', run }),
  });
  const [act, ask, now] =
    role === 'joined'
      ? [words.leave, words.leaveSure(name), words.leaveNow]
      : [words.stop, words.stopSure(name), words.stopNow];
  if (sure)
    return <Sure title={ask} act={now} doing={stop} onAct={() => stop.mutate()} onKeep={() => setSure(false)} />;
  return (
    <div className="row">
      <Button look="bad" icon="stop" onClick={() => setSure(true)}>
        {act}
      </Button>
    </div>
  );
}

function Over({ run: { id, name, file } }: { readonly run: TrainingRunView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const save = useMutation({ mutationFn: async () => saveAs(await client.trainedModel(id), `${name}.onnx`) });
  const remove = useMutation({
    mutationFn: () => client.removeTraining(id),
    onSuccess: () =>
      cache.setQueryData<readonly TrainingRunView[]>(keys.training, (runs) => runs?.filter((one) => one.id !== id)),
  });
  if (sure)
    return (
      <Sure
        title={words.removeSure(name)}
        act={words.removeNow}
        doing={remove}
        onAct={() => remove.mutate()}
        onKeep={() => setSure(false)}
      />
    );
  return (
    <div className="row">
      {file !== null && (
        <Button disabled={save.isPending} onClick={() => save.mutate()}>
          {words.model} ({bytes(file.bytes)})
        </Button>
      )}
      <Button look="bad" onClick={() => setSure(true)}>
        {words.remove}
      </Button>
      {save.isError && <ErrorNote title={words.modelFailed} error={save.error} />}
    </div>
  );
}
