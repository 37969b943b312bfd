import type { ModelView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { groupModels } from '../models/group.ts';
import { chat } from './strings.ts';

/** One list of every model that talks, grouped by the device that runs it. */
export function ModelPicker({
  models,
  value,
  onChange,
}: {
  readonly models: readonly ModelView[];
  readonly value: string;
  readonly onChange: (name: string) => void;
}): ReactNode {
  return (
    <label className="picker">
      <span>{chat.ask}</span>
      <select aria-label={chat.model} value={value} onChange={(event) => onChange(event.target.value)}>
        {groupModels(models).map((group) => (
          <optgroup key={group.peerId} label={`${group.peerName} · ${chat.paths[group.path ?? 'offline']}`}>
            {group.models.map((model) => (
              <option key={model.name} value={model.name} disabled={model.path === 'offline'}>
                {model.model}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
