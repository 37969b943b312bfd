import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import type { BroadcastView, DeliveryView } from './messages.schema.ts';

export interface BroadcastDeps {
  readonly devices: Devices;
  readonly deliver: (to: string) => Promise<DeliveryView>;
}
type Report = BroadcastView['deliveries'][number];

/**
 * One message to each of several, or to every device that is not blocked; what fails for one keeps it from no other, and the report names it.
 * @param to - names or peer ids, each counted once; `all`
 */
export async function broadcast(
  { devices, deliver }: BroadcastDeps,
  to: readonly string[] | 'all',
): Promise<BroadcastView> {
  const open = devices.list().filter(({ blocked }) => !blocked);
  const names = to === 'all' ? open.map(({ peer }): string => peer) : [...new Set(to)];
  const nameOf = (peer: string): string => devices.list().find((device) => device.peer === peer)?.name ?? peer;
  const one = async (text: string): Promise<Report> => {
    try {
      const { v: _, to: peer, ...delivery } = await deliver(text);
      return { to: peer, name: to === 'all' ? nameOf(peer) : text, ...delivery };
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      return { to: text, name: nameOf(text), state: 'refused', code: error.code };
    }
  };
  const reports = new Map<string, Report>();
  const waiting = [...names];
  const lane = async (): Promise<void> => {
    for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) reports.set(text, await one(text));
  };
  await Promise.all(Array.from({ length: limits.broadcastAtOnce }, lane));
  return { v: 1, deliveries: names.flatMap((text) => reports.get(text) ?? []) };
}
