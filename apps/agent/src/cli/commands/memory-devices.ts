import type { ControlEvent, OwnDevicesView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { withEventBar } from '../event-bar.ts';
import { table } from '../plain.ts';
import { countBar } from '../progress-bar.ts';
import { ago } from '../words.ts';

/** What a device that nobody declared needs. */
const howTo = 'No device is declared your own. On both of them: peerai peers allow <device> chat,own';

export const devices = command(
  'devices',
  'Your other devices, with which memory and clusters are kept the same',
  {},
  async ({ agent, output, signal }) => {
    const view = await (await agent()).client.ownDevices(signal);
    output.data(view, () => textOf(view));
  },
);

export const sync = command(
  'sync',
  'Compare with your other devices that are here now; they do it by themselves whenever they meet',
  {},
  async ({ agent, output, signal }) => {
    const { client } = await agent();
    const lineOf = (event: ControlEvent): string | undefined =>
      event.type === 'memory-progress' && event.work === 'sync'
        ? countBar(event.name, event.done, event.all, 'parts')
        : undefined;
    const view = await withEventBar(client, output, signal, lineOf, async () => client.syncOwnDevices(signal));
    output.data(view, () => textOf(view));
  },
);

function textOf({ devices: all }: OwnDevicesView): string {
  if (all.length === 0) return howTo;
  const rows = all.map((one) => [
    one.name,
    one.online ? 'here' : 'away',
    one.syncedMs === null ? 'never' : ago(one.syncedMs),
    `${one.capsules}`,
    `${one.forgotten}`,
    one.conflicts === 0 ? `${one.clusters}` : `${one.clusters}, ${one.conflicts} changed at both`,
    one.problem ?? '',
  ]);
  return table([['DEVICE', 'IS', 'COMPARED', 'CAPSULES', 'FORGOTTEN', 'CLUSTERS', 'PROBLEM'], ...rows]);
}
