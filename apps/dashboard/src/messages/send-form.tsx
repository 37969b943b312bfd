import type { BroadcastView, DeliveryView, PeerView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { Button } from '../ui/button.tsx';
import { dotOf } from '../ui/delivery.ts';
import { DeviceField, NoDevice } from '../ui/devices.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { PriorityField } from '../ui/priority.tsx';
import { form } from './strings.ts';

const toAll = 'all';

/** To one device, or to all of them at once. */
export function SendForm({ devices }: { readonly devices: readonly PeerView[] }): ReactNode {
  const { client } = useApp();
  const element = useRef<HTMLFormElement>(null);
  const [to, setTo] = useState<string>();
  const send = useMutation({
    mutationFn: (message: Message): Promise<DeliveryView | BroadcastView> =>
      message.to === toAll
        ? client.broadcast('all', 'text', message.text)
        : client.send(message.to, 'text', message.text, message.priority),
    onSuccess: () => element.current?.reset(),
  });
  const [first] = devices;
  if (first === undefined) return <NoDevice />;
  const chosen = to === toAll || devices.some(({ peerId }) => peerId === to) ? (to ?? first.peerId) : first.peerId;
  return (
    <form
      ref={element}
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        // Every field is text; files are not asked for.
        const priority = (fields.get('priority') ?? 'normal') as Message['priority'];
        send.mutate({ to: chosen, text: fields.get('text') as string, priority });
      }}
    >
      <DeviceField label={form.to} devices={devices} value={chosen} onChoose={setTo}>
        {devices.length > 1 && <option value={toAll}>{form.all}</option>}
      </DeviceField>
      <label className="field">
        {form.text}
        <textarea name="text" rows={4} required maxLength={100_000} />
      </label>
      {chosen !== toAll && <PriorityField label={form.priority} words={form.priorities} />}
      <Button look="primary" type="submit" disabled={send.isPending}>
        {send.isPending ? form.sending : form.send}
      </Button>
      <div role="status" className="small">
        {send.isSuccess && <Outcome result={send.data} devices={devices} />}
      </div>
      {send.isError && <ErrorNote title={form.failed} error={send.error} />}
    </form>
  );
}

interface Message {
  readonly to: string;
  readonly text: string;
  readonly priority: keyof typeof form.priorities;
}

function Outcome({
  result,
  devices,
}: {
  readonly result: DeliveryView | BroadcastView;
  readonly devices: readonly PeerView[];
}): ReactNode {
  if ('state' in result) {
    const name = devices.find(({ peerId }) => peerId === result.to)?.name ?? '';
    return <p>{form.states[result.state](name)}</p>;
  }
  const { deliveries } = result;
  return (
    <div className="stack">
      <p>{form.summary(deliveries.filter(({ state }) => state === 'delivered').length, deliveries.length)}</p>
      <ul className="stack" aria-label={form.each}>
        {deliveries.map(({ to, name, state, code }) => (
          <li key={to} className="row">
            <b className="anywhere">{name}</b>
            <State dot={dotOf(state)}>
              {form.short[state]}
              {code !== undefined && ` (${code})`}
            </State>
          </li>
        ))}
      </ul>
    </div>
  );
}
