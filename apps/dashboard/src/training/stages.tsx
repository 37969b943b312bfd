import type { TrainingRequest, TrainingRunView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { usePeers } from '../app/queries.ts';
import { plural } from '../shared/format.ts';
import { Choice } from '../ui/choice.tsx';
import { DeviceChoices, usableDevices } from '../ui/devices.tsx';
import { form, run as words } from './strings.ts';

/** Who holds the layers of a run in stages, and who takes a lost one's place. */
export function StagesFields(): ReactNode {
  const devices = usableDevices(usePeers().data ?? []);
  return (
    <>
      <fieldset>
        <legend>{form.over}</legend>
        <DeviceChoices devices={devices} />
        <label className="opt">
          <input type="checkbox" name="member" value="self" />
          <span>{form.self}</span>
        </label>
        <p className="small muted">{form.overHint}</p>
      </fieldset>
      <Choice
        label={form.spare}
        name="spare"
        words={{
          self: form.self,
          ...Object.fromEntries(devices.map(({ peerId, name }) => [peerId, name])),
          none: form.spareNone,
        }}
      />
    </>
  );
}

/** What was said in `StagesFields`: stages in the order of the boxes. */
export function readStages(fields: FormData): NonNullable<TrainingRequest['stages']> {
  // Every field is text.
  const spare = fields.get('spare') as string;
  return { over: fields.getAll('member') as string[], spares: spare === 'none' ? [] : [spare] };
}

/** A fact for each stage: its layers, who holds it, who was lost. */
export const stageFacts = ({ stages }: TrainingRunView): [string, string][] =>
  stages.map(({ from, to, holder, places, lost }, index) => {
    const who = holder?.name ?? words.stageFor(places.map(({ name }) => name).join(', '));
    const text = words.stageOf(plural(to - from, 'layer'), who);
    return [words.stage(index + 1), lost === null ? text : words.stageLost(text, lost.name, lost.code)];
  });
