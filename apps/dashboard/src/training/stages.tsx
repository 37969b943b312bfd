import type { TrainingRunView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { usePeers } from '../app/queries.ts';
import { plural } from '../shared/format.ts';
import { usableDevices } from '../ui/devices.tsx';
import { StageFields } from '../ui/stage-fields.tsx';
import { form, run as words } from './strings.ts';

/** Who holds the layers of a run in stages, and who takes a lost one's place. */
export function RunStages(): ReactNode {
  const devices = usableDevices(usePeers().data ?? []);
  return <StageFields devices={devices} words={{ ...form, spareSelf: form.self }} />;
}

/** A fact for each stage: its layers, who holds it, who was lost. */
export const stageFacts = ({ stages }: TrainingRunView): [string, string][] =>
  stages.map(({ from, to, holder, places, lost }, index) => {
    const who = holder?.name ?? words.stageFor(places.map(({ name }) => name).join(', '));
    const text = words.stageOf(plural(to - from, 'layer'), who);
    return [words.stage(index + 1), lost === null ? text : words.stageLost(text, lost.name, lost.code)];
  });
