import { callMethod, type Clock, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Devices } from '../pairing/devices.ts';
import { whyNotFree } from './gauge.ts';
import type { NodesView } from './lending.schema.ts';
import { type NodesAnswer, nodesMethod } from './lending-protocol.ts';
import { measuredView } from './views.ts';

export interface NodesDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly isOnline: (peer: PeerId) => boolean;
}

/** What a device lends to this one. Throws NOT_GRANTED, REFUSED (an older version), PEER_UNREACHABLE, TIMEOUT. */
export const askForNodes = (
  deps: NodesDeps,
  { peer, addresses }: { readonly peer: PeerId; readonly addresses: readonly string[] },
  signal: AbortSignal,
): Promise<NodesAnswer> => callMethod(deps, peer, nodesMethod, { version: 1 }, { signal, addresses });

/** All devices that are here and lend, with what they measured themselves. */
export async function findNodes(deps: NodesDeps, signal: AbortSignal): Promise<NodesView> {
  const here = deps.devices.list().filter(({ peer, blocked }) => !blocked && deps.isOnline(peer));
  const peers: NodesView['peers'] = [];
  const unanswered: NodesView['unanswered'] = [];
  await Promise.all(
    here.map(async (device) => {
      const { peer, name } = device;
      try {
        const said = await askForNodes(deps, device, signal);
        if (said.nodes === 0) return;
        const { nodes, free, minutesMax } = said;
        const why = whyNotFree(said);
        const offer = { nodes, free, nodeHourMicro: `${said.nodeHour}`, minutesMax };
        peers.push({ peerId: peer, name, ...offer, ...measuredView(said), isFree: why.length === 0, why });
      } catch (error) {
        if (signal.aborted) throw error;
        const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'unknown' };
        unanswered.push({ peerId: peer, name, code, message });
      }
    }),
  );
  const cheapest = (a: NodesView['peers'][number], b: NodesView['peers'][number]): number =>
    Number(b.isFree) - Number(a.isFree) || Number(BigInt(a.nodeHourMicro) - BigInt(b.nodeHourMicro));
  return { v: 1, peers: peers.toSorted(cheapest), unanswered };
}
