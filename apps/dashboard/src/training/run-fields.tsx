import type { TrainingRequest } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { usePeers } from '../app/queries.ts';
import { Choice } from '../ui/choice.tsx';
import { DeviceChoices, usableDevices } from '../ui/devices.tsx';
import { type Kind, readModel } from './model-fields.tsx';
import { RunStages } from './stages.tsx';
import { readStages } from '../ui/stage-fields.tsx';
import { form } from './strings.ts';

export function NumberField({
  label,
  name,
  value,
  min = 1,
  max,
  step = 1,
}: {
  readonly label: string;
  readonly name: string;
  readonly value: number;
  readonly min?: number;
  readonly max: number;
  readonly step?: number | 'any';
}): ReactNode {
  return (
    <label className="field">
      {label}
      <input name={name} type="number" required min={min} max={max} step={step} defaultValue={value} />
    </label>
  );
}

export type KindOfRun = keyof typeof form.kindsOfRun;

/** Open, private or in stages: they exclude each other, and so do their other fields. */
export function SeenFields({
  kind,
  of,
  onKind,
}: {
  readonly kind: KindOfRun;
  /** What is trained: images and adapters are not cut. */
  readonly of: Kind;
  readonly onKind: (kind: KindOfRun) => void;
}): ReactNode {
  const peers = usePeers();
  const devices = usableDevices(peers.data ?? []).filter(({ allow }) => allow.includes('train'));
  const kinds = (Object.keys(form.kindsOfRun) as KindOfRun[]).filter((one) => one !== 'stages' || isCut(of));
  return (
    <>
      <label className="field">
        {form.seenBy}
        <select
          name="kind"
          value={kind}
          onChange={(event) => onKind(kinds.find((one) => one === event.target.value) ?? kind)}
        >
          {kinds.map((one) => (
            <option key={one} value={one}>
              {form.kindsOfRun[one]}
            </option>
          ))}
        </select>
      </label>
      {kind === 'stages' && <RunStages />}
      {kind === 'private' && (
        <fieldset>
          <legend>{form.invite}</legend>
          <DeviceChoices devices={devices} />
          <p className="small muted">{form.inviteHint}</p>
        </fieldset>
      )}
    </>
  );
}

/** Whether its model can be cut into stages. */
export const isCut = (kind: Kind): boolean => kind !== 'conv' && kind !== 'adapter';

/** The budget of this computer's own data: each member decides on its own. */
export function EpsilonField(): ReactNode {
  return (
    <>
      <label className="field">
        {form.epsilon}
        <input name="epsilon" type="number" min={0.01} max={1_000} step="any" />
      </label>
      <p className="small muted">{form.epsilonHint}</p>
    </>
  );
}

/** What was said in `EpsilonField`. */
export function readPrivacy(fields: FormData): Pick<TrainingRequest, 'privacy'> {
  const said = fields.get('epsilon');
  return typeof said === 'string' && said !== '' ? { privacy: { epsilon: Number(said) } } : {};
}

export function MoreFields({ kind, seen }: { readonly kind: Kind; readonly seen: KindOfRun }): ReactNode {
  const isShared = seen !== 'stages';
  return (
    <details className="more-fields">
      <summary>{form.more}</summary>
      <div className="stack">
        <div className="pair">
          {seen === 'open' && (
            <>
              <NumberField label={form.members} name="membersMin" value={2} max={64} />
              <Choice label={form.compression} name="compression" words={form.packings} />
              <Choice label={form.aggregation} name="aggregation" words={form.rules} />
              <NumberField label={form.liars} name="liars" value={0} min={0} max={64} />
            </>
          )}
          {isShared && <Choice label={form.outer} name="outer" words={form.outers} />}
          <NumberField label={form.rate} name="learningRate" value={0.01} min={0.000_001} max={1} step="any" />
          <Choice label={form.schedule} name="schedule" words={form.schedules} />
          {kind === 'adapter' && <NumberField label={form.rank} name="rank" value={8} max={64} />}
          {kind === 'conv' && (
            <label className="field">
              {form.filters}
              <input
                name="filters"
                required
                defaultValue="8,16"
                pattern="\s*\d+(\s*,\s*\d+){0,2}\s*"
                title={form.filtersHint}
                autoComplete="off"
              />
            </label>
          )}
          {kind === 'mlp' && (
            <label className="field">
              {form.hidden}
              <input
                name="hidden"
                required
                defaultValue="32"
                pattern="\s*\d+(\s*,\s*\d+){0,3}\s*"
                title={form.hiddenHint}
                autoComplete="off"
              />
            </label>
          )}
          <NumberField label={form.seed} name="seed" value={1} min={0} max={2_147_483_647} />
          {isShared && <NumberField label={form.roundTime} name="roundTime" value={60} max={3_600} />}
        </div>
        {seen === 'open' && (
          <>
            <p className="small muted">{form.liarsHint}</p>
            <label className="opt">
              <input type="checkbox" name="sealed" />
              {form.sealed}
            </label>
            <p className="small muted">{form.sealedHint}</p>
          </>
        )}
        {isShared && (
          <>
            <p className="small muted">{form.roundTimeHint}</p>
            <EpsilonField />
          </>
        )}
      </div>
    </details>
  );
}

/** What the fields say; their names are those of the local API. */
export function readRequest(data: string, kind: Kind, fields: FormData): TrainingRequest {
  // Every field is text.
  const text = (name: string): string => fields.get(name) as string;
  const number = (name: string): number => Number(text(name));
  const is = (name: string, value: string): boolean => text(name) === value;
  const common = {
    name: text('name'),
    data,
    model: readModel(kind, text),
    rounds: number('rounds'),
    localSteps: number('localSteps'),
    threads: number('threads'),
    learningRate: number('learningRate'),
    schedule: is('schedule', 'cosine') ? 'cosine' : 'constant',
    seed: number('seed'),
  } as const;
  if (is('kind', 'stages')) return { ...common, stages: readStages(fields) };
  const invited = fields.getAll('member') as string[];
  return {
    ...common,
    outer: is('outer', 'diloco') ? 'diloco' : is('outer', 'nesterov') ? 'nesterov' : 'local-sgd',
    roundMs: 1_000 * number('roundTime'),
    ...readPrivacy(fields),
    ...(is('kind', 'private')
      ? { private: invited.length === 0 ? {} : { invite: invited } }
      : {
          membersMin: number('membersMin'),
          compression: is('compression', 'sparse') ? 'sparse' : is('compression', 'int4') ? 'int4' : 'int8',
          aggregation: is('aggregation', 'multi-krum') ? 'multi-krum' : 'trimmed-mean',
          liars: number('liars'),
          ...(fields.has('sealed') ? { sealed: true as const } : {}),
        }),
  };
}
