import type { CapsuleDetail, PeerView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useId, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { usePeers } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { DeviceField, NoDevice, usableDevices } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { sharing as words } from './strings.ts';

/** To one paired device; where it may go to nobody, the button says why. */
export function ShareCapsule({ capsule }: { readonly capsule: CapsuleDetail }): ReactNode {
  const peers = usePeers();
  const why = useId();
  const { level, mine, authorName } = capsule;
  const held = level === 'personal' ? words.personal : level === 'public' || mine ? null : words.others(authorName);
  return (
    <Card title={words.title}>
      {held === null ? (
        <Region query={peers} what="devices">
          {(devices) => <Form id={capsule.id} devices={usableDevices(devices)} />}
        </Region>
      ) : (
        <div className="pad stack">
          <div className="row">
            <Button disabled aria-describedby={why}>
              {words.act}
            </Button>
          </div>
          <p id={why} className="small muted">
            {held}
          </p>
        </div>
      )}
    </Card>
  );
}

function Form({ id, devices }: { readonly id: string; readonly devices: readonly PeerView[] }): ReactNode {
  const { client } = useApp();
  const [to, setTo] = useState<string>();
  const share = useMutation({ mutationFn: (peerId: string) => client.shareMemory(id, peerId) });
  const [first] = devices;
  if (first === undefined) return <NoDevice />;
  const chosen = devices.some(({ peerId }) => peerId === to) && to !== undefined ? to : first.peerId;
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        share.mutate(chosen);
      }}
    >
      <DeviceField label={words.to} devices={devices} value={chosen} onChoose={setTo} />
      <div className="row">
        <Button look="primary" type="submit" disabled={share.isPending}>
          {share.isPending ? words.doing : words.act}
        </Button>
      </div>
      <p role="status" className="small">
        {share.isSuccess && words[share.data.outcome](share.data.peerName)}
      </p>
      {share.isError && <ErrorNote title={words.failed} error={share.error} />}
    </form>
  );
}
