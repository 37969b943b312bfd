import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { usePeers } from '../app/queries.ts';
import { DeviceChoices, usableDevices } from '../ui/devices.tsx';
import { MakeForm } from '../ui/make.tsx';
import { Region } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { useChange } from './group.ts';
import { governance as words } from './strings.ts';

/** Devices that are away are told of it when they are back. */
export function NewGroup({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const navigate = useNavigate();
  const peers = usePeers();
  const make = useChange(
    (wish: { readonly name: string; readonly members: string[] }) => client.createGovernance(wish),
    ({ group: { id } }) => {
      onClose();
      void navigate({ to: '/governance', search: { id } });
    },
  );
  return (
    <Sheet title={words.make} icon="vote" onClose={onClose}>
      <section>
        <Region query={peers} what="devices">
          {(list) => (
            <MakeForm
              act={words.makeAct}
              failed={words.makeFailed}
              making={make}
              // Every field is text; files are not asked for.
              onMake={(fields) =>
                make.mutate({ name: fields.get('name') as string, members: fields.getAll('member') as string[] })
              }
            >
              <fieldset>
                <legend className="small muted">{words.with}</legend>
                <DeviceChoices devices={usableDevices(list)} />
              </fieldset>
            </MakeForm>
          )}
        </Region>
      </section>
    </Sheet>
  );
}
