import type { DocumentRequest, GroupView, PeerView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useGroups, usePeers } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { DeviceChoices, usableDevices } from '../ui/devices.tsx';
import { MakeForm } from '../ui/make.tsx';
import { Region } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { documents as words, making } from './strings.ts';

export function NewDocument({ onClose }: { readonly onClose: () => void }): ReactNode {
  const peers = usePeers();
  const groups = useGroups();
  return (
    <Sheet title={words.make} icon="document" onClose={onClose}>
      <section>
        <Region query={peers} what="devices">
          {(devices) => (
            <Region query={groups} what="groups">
              {(list) => <Form devices={usableDevices(devices)} groups={list} onClose={onClose} />}
            </Region>
          )}
        </Region>
      </section>
    </Sheet>
  );
}

function Form({
  devices,
  groups,
  onClose,
}: {
  readonly devices: readonly PeerView[];
  readonly groups: readonly GroupView[];
  readonly onClose: () => void;
}): ReactNode {
  const [by, setBy] = useState<'devices' | 'group'>('devices');
  const make = useMake(onClose);
  return (
    <MakeForm
      act={making.make}
      failed={making.failed}
      making={make}
      disabled={by === 'group' && groups.length === 0}
      onMake={(fields) => make.mutate(readRequest(fields))}
    >
      <div className="stack" role="group" aria-label={making.with}>
        <p className="small muted">{making.with}</p>
        <div className="seg">
          <Button aria-pressed={by === 'devices'} onClick={() => setBy('devices')}>
            {making.devices}
          </Button>
          <Button aria-pressed={by === 'group'} onClick={() => setBy('group')}>
            {making.group}
          </Button>
        </div>
        {by === 'devices' ? <DeviceChoices devices={devices} /> : <GroupField groups={groups} />}
      </div>
    </MakeForm>
  );
}

function GroupField({ groups }: { readonly groups: readonly GroupView[] }): ReactNode {
  if (groups.length === 0) return <p className="muted">{making.noGroup}</p>;
  return (
    <label className="field">
      {making.whichGroup}
      <select name="group">
        {groups.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function readRequest(fields: FormData): DocumentRequest {
  // Every field is text; files are not asked for.
  const name = fields.get('name') as string;
  const group = fields.get('group') as string | null;
  return group === null ? { name, members: fields.getAll('member') as string[] } : { name, group };
}

function useMake(onClose: () => void) {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (request: DocumentRequest) => client.createDocument(request),
    onSuccess: async ({ id }) => {
      await cache.invalidateQueries({ queryKey: keys.documents, exact: true });
      onClose();
      await navigate({ to: '/documents', search: { id } });
    },
  });
}
