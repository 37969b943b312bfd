import type { PeerView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { Choice } from './choice.tsx';
import { DeviceChoices } from './devices.tsx';

export interface StageWords {
  readonly over: string;
  readonly overHint: string;
  readonly self: string;
  /** Marks those that are away, who then cannot be chosen. */
  readonly away?: string;
  readonly spare: string;
  readonly spareSelf: string;
  readonly spareNone: string;
}

/** Who holds the stages of a model or a run, and who takes a lost one's place. */
export function StageFields({
  devices,
  words,
  self = false,
}: {
  readonly devices: readonly PeerView[];
  readonly words: StageWords;
  /** This device is chosen at first. */
  readonly self?: boolean;
}): ReactNode {
  const { over, overHint, away, spare, spareSelf, spareNone } = words;
  return (
    <>
      <fieldset>
        <legend>{over}</legend>
        <DeviceChoices devices={devices} {...(away === undefined ? {} : { away })} />
        <label className="opt">
          <input type="checkbox" name="member" value="self" defaultChecked={self} />
          <span>{words.self}</span>
        </label>
        <p className="small muted">{overHint}</p>
      </fieldset>
      <Choice
        label={spare}
        name="spare"
        words={{
          self: spareSelf,
          ...Object.fromEntries(devices.map(({ peerId, name }) => [peerId, name])),
          none: spareNone,
        }}
      />
    </>
  );
}

/** What was said in `StageFields`: stages in the order of the boxes. */
export function readStages(fields: FormData): { readonly over: string[]; readonly spares: string[] } {
  // Every field is text.
  const spare = fields.get('spare') as string;
  return { over: fields.getAll('member') as string[], spares: spare === 'none' ? [] : [spare] };
}
