import type { OwnDevicesView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { ago, plural, sentence } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State, Verdict } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { ownDevices as words } from './strings.ts';

/** The owner’s other devices: what they brought, and when all they had was here. */
export function OwnDevices({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const devices = useQuery({
    queryKey: keys.ownDevices,
    queryFn: ({ signal }) => client.ownDevices(signal),
    refetchInterval: limits.pollLiveMs,
  });
  const sync = useMutation({
    mutationFn: () => client.syncOwnDevices(),
    onSuccess: (view) => cache.setQueryData(keys.ownDevices, view),
  });
  const isHere = devices.data?.devices.some(({ online }) => online) === true;
  return (
    <Sheet title={words.title} icon="pc" onClose={onClose}>
      <section className="stack">
        <p className="small muted">{words.text}</p>
        <Region query={devices} what={words.what}>
          {(view) => <List view={view} />}
        </Region>
        {isHere && (
          <div className="row">
            <Button look="primary" disabled={sync.isPending} onClick={() => sync.mutate()}>
              {sync.isPending ? words.comparing : words.compare}
            </Button>
            <span role="status" className="small">
              {sync.isSuccess && words.compared}
            </span>
          </div>
        )}
        {sync.isError && <ErrorNote title={words.failed} error={sync.error} />}
      </section>
    </Sheet>
  );
}

function List({ view }: { readonly view: OwnDevicesView }): ReactNode {
  const nowMs = useNow(5_000);
  if (view.devices.length === 0) return <p>{words.none}</p>;
  return (
    <ul className="stack" aria-label={words.title}>
      {view.devices.map((device) => (
        <li key={device.peerId} className="stack">
          <div className="row">
            <b className="anywhere">{device.name}</b>
            <span className="push small">
              <State dot={device.online ? 'direct' : 'offline'}>{device.online ? words.here : words.away}</State>
            </span>
          </div>
          <p className="small">
            {device.syncedMs === null ? words.never : `${words.synced(ago(device.syncedMs, nowMs))} ${brought(device)}`}
          </p>
          {device.conflicts > 0 && <p className="small muted">{words.conflicts(device.conflicts)}</p>}
          {device.problem !== undefined && (
            <p className="small">
              <Verdict state="look">{sentence(device.problem)}</Verdict>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function brought({ capsules, forgotten, clusters }: OwnDevicesView['devices'][number]): string {
  if (capsules + forgotten + clusters === 0) return words.nothing;
  return words.brought(plural(capsules, 'memory', 'memories'), forgotten, plural(clusters, 'cluster'));
}
