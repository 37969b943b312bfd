import type { ModelView, PeerView, SplitRequest } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { skipToken, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { useModels, usePeers } from '../app/queries.ts';
import { bytes } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { usableDevices } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Region } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { readStages, StageFields } from '../ui/stage-fields.tsx';
import { UsageBar } from '../ui/people.tsx';
import type { SplitProgress } from '../app/live.ts';
import { codeOf } from './code-of.ts';
import { models as page } from './strings.ts';

const words = page.split;
/** Engines whose weights this peer reads layer by layer. */
const withLayers: ReadonlySet<string> = new Set(['nano', 'trained']);

/** Which model, over whom, and what travels between them. */
export function SplitModel({ onClose }: { readonly onClose: () => void }): ReactNode {
  const models = useModels();
  const peers = usePeers();
  return (
    <Sheet title={words.open} icon="models" onClose={onClose}>
      <section>
        <Region query={models} what={page.what}>
          {(view) => (
            <Region query={peers} what={words.devices}>
              {(list) => (
                <SplitForm
                  models={view.models.filter(({ local, engine }) => local && withLayers.has(engine))}
                  devices={usableDevices(list)}
                  onClose={onClose}
                />
              )}
            </Region>
          )}
        </Region>
      </section>
    </Sheet>
  );
}

function SplitForm({
  models,
  devices,
  onClose,
}: {
  readonly models: readonly ModelView[];
  readonly devices: readonly PeerView[];
  readonly onClose: () => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const split = useMutation({
    mutationFn: (request: SplitRequest) => {
      checkStages(request.over);
      stop.current = new AbortController();
      cache.removeQueries({ queryKey: keys.splitProgress });
      return client.splitModel(request, stop.current.signal);
    },
    onSuccess: onClose,
    onSettled: () => cache.invalidateQueries({ queryKey: keys.models }),
  });
  if (models.length === 0) return <p className="muted">{words.noModel}</p>;
  const isLeft = split.isError && stop.current?.signal.aborted === true;
  const asked = models.find(({ name }) => name === split.variables?.model);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        split.mutate(requestIn(new FormData(event.currentTarget)));
      }}
    >
      <Choice label={words.model} name="model" words={wordsBy(models.map(({ name, model }) => [name, model]))} />
      <StageFields devices={devices} words={words} self />
      <Choice label={words.states} name="activations" words={words.statesOf} />
      <p className="small muted">{words.statesText}</p>
      <label className="field">
        {words.name}
        <input name="name" maxLength={limits.modelNameCharsMax} autoComplete="off" autoCapitalize="none" />
      </label>
      <p className="small muted">{words.reads}</p>
      <div className="row">
        <Button look="primary" type="submit" disabled={split.isPending}>
          {split.isPending ? words.making : words.make}
        </Button>
        {split.isPending && <Button onClick={() => stop.current?.abort()}>{words.cancel}</Button>}
      </div>
      <div role="status" className="small stack">
        {split.isPending && asked !== undefined && <p>{words.makingText(bytes(asked.memoryBytes))}</p>}
        {split.isPending && <HandedOut />}
        {isLeft && <p>{words.left}</p>}
      </div>
      {split.isError && !isLeft && <ErrorNote title={words.notMade(codeOf(split.error))} error={split.error} />}
    </form>
  );
}

/** How much of the weights is at its devices. */
function HandedOut(): ReactNode {
  const { data } = useQuery<SplitProgress>({ queryKey: keys.splitProgress, queryFn: skipToken });
  if (data === undefined) return null;
  const said = words.handed(bytes(data.moved), bytes(data.bytes));
  return (
    <>
      <UsageBar used={data.moved} whole={data.bytes} label={said} />
      <p>{said}</p>
    </>
  );
}

const wordsBy = (pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(pairs);

/** In the order of the boxes. */
function requestIn(form: FormData): SplitRequest {
  // Every field is text; files are not asked for.
  const said = (field: string): string => form.get(field) as string;
  const name = said('name').trim();
  return {
    model: said('model'),
    ...readStages(form),
    activations: said('activations') === 'int8' ? 'int8' : 'float32',
    ...(name === '' ? {} : { name }),
  };
}

/** Throws USAGE, LIMIT_EXCEEDED. */
function checkStages({ length }: readonly string[]): void {
  if (length === 0) throw new PeerAiError('USAGE', words.chooseOne);
  if (length > limits.splitStagesMax) throw new PeerAiError('LIMIT_EXCEEDED', words.most(limits.splitStagesMax));
}
