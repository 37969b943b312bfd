import type { PeerView, TaskPriority, TaskRequest } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { applyEvent } from '../app/live.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, NoDevice } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { PriorityField } from '../ui/priority.tsx';
import { form } from './strings.ts';

export function TaskForm({ devices }: { readonly devices: readonly PeerView[] }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const element = useRef<HTMLFormElement>(null);
  const [chosen, setChosen] = useState<string>();
  const device = devices.find(({ peerId }) => peerId === chosen) ?? devices[0];
  const give = useMutation({
    mutationFn: (request: TaskRequest) => client.delegate(request),
    onSuccess: (task) => {
      applyEvent(cache, { type: 'task-changed', task });
      element.current?.reset();
    },
  });
  if (device === undefined) return <NoDevice />;
  return (
    <form
      ref={element}
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        give.mutate(readRequest(device.peerId, new FormData(event.currentTarget)));
      }}
    >
      <DeviceField devices={devices} value={device.peerId} onChoose={setChosen} />
      <label className="field">
        {form.task}
        <textarea name="description" rows={4} required maxLength={200_000} />
      </label>
      <div className="pair">
        <TypeField device={device} />
        <label className="field">
          {form.model}
          <select name="model" key={device.peerId}>
            <option value="">{form.anyModel}</option>
            {device.models.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <PriorityField label={form.priority} words={form.priorities} />
        <label className="field">
          {form.deadline}
          <select name="deadline">
            {form.times.map(({ label, ms }) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Button look="primary" type="submit" disabled={give.isPending}>
        {give.isPending ? form.giving : form.give}
      </Button>
      {give.isError && <ErrorNote title={form.failed} error={give.error} />}
    </form>
  );
}

/** What the device says it does; a prompt where it has not said yet. */
function TypeField({ device }: { readonly device: PeerView }): ReactNode {
  const { client } = useApp();
  const can = useQuery({
    queryKey: [...keys.capabilities, device.peerId],
    queryFn: ({ signal }) => client.capabilities(device.peerId, signal),
    enabled: device.state === 'online',
    staleTime: limits.pollLiveMs,
  });
  const types = can.data?.taskTypes ?? ['prompt'];
  return (
    <label className="field">
      {form.type}
      <select name="type" key={types.join()} defaultValue={types.includes('prompt') ? 'prompt' : types[0]}>
        {types.map((type) => (
          <option key={type}>{type}</option>
        ))}
      </select>
    </label>
  );
}

function readRequest(to: string, fields: FormData): TaskRequest {
  // Every field is text; files are not asked for.
  const text = (name: string): string => fields.get(name) as string;
  const model = text('model');
  const deadlineInMs = Number(text('deadline'));
  return {
    to,
    type: text('type'),
    description: text('description'),
    priority: text('priority') as TaskPriority,
    ...(model === '' ? {} : { context: { model } }),
    ...(deadlineInMs === 0 ? {} : { deadlineInMs }),
  };
}
