import type { GroupView, PeerView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { usePeers } from '../app/queries.ts';
import { DeviceChoices, usableDevices } from '../ui/devices.tsx';
import { MakeForm } from '../ui/make.tsx';
import { Region } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { groups as words, making } from './strings.ts';

export function NewGroup({ onClose }: { readonly onClose: () => void }): ReactNode {
  const peers = usePeers();
  return (
    <Sheet title={words.make} icon="groups" onClose={onClose}>
      <section>
        <Region query={peers} what="devices">
          {(list) => <Form devices={usableDevices(list)} onClose={onClose} />}
        </Region>
      </section>
    </Sheet>
  );
}

function Form({
  devices,
  onClose,
}: {
  readonly devices: readonly PeerView[];
  readonly onClose: () => void;
}): ReactNode {
  const make = useMake(onClose);
  return (
    <MakeForm
      act={make.made === undefined ? making.make : making.again}
      failed={make.made === undefined ? making.failed : making.notAdded}
      making={make}
      nameIsFixed={make.made !== undefined}
      // Every field is text; files are not asked for.
      onMake={(fields) =>
        make.mutate({ name: fields.get('name') as string, members: fields.getAll('member') as string[] })
      }
    >
      <fieldset>
        <legend className="small muted">{making.with}</legend>
        <DeviceChoices devices={devices} away={making.away} />
      </fieldset>
      {devices.length > 0 && devices.every(({ state }) => state !== 'online') && (
        <p className="small muted">{making.nobody}</p>
      )}
    </MakeForm>
  );
}

interface Wish {
  readonly name: string;
  readonly members: readonly string[];
}

/** In two steps, so that trying again after a device could not be added makes no second group of the same name. */
function useMake(onClose: () => void) {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [made, setMade] = useState<GroupView>();
  const told = (group: GroupView): GroupView => {
    applyEvent(cache, { type: 'group-changed', groupId: group.id, group });
    return group;
  };
  const mutation = useMutation({
    mutationFn: async ({ name, members }: Wish) => {
      const group = made ?? told(await client.createGroup(name, []));
      setMade(group);
      return members.length === 0 ? group : told(await client.addToGroup(group.id, members));
    },
    onSuccess: ({ id }) => {
      onClose();
      void navigate({ to: '/groups', search: { id } });
    },
  });
  return { ...mutation, made };
}
