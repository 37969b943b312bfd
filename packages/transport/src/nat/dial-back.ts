import { isLoopback, isPrivate } from '@libp2p/utils';
import { multiaddr } from '@multiformats/multiaddr';
import type { Channel, Clock, Link, Network, PeerId } from '@peerai/core-protocol';
import { channelClosed } from '../errors.ts';
import { createIntake } from '../discovery/intake.ts';
import type { Components } from '../libp2p/components.ts';
import { dialAddress } from '../network/dialer.ts';
import { type Door, doorAddress, doorsAnswer, doorsProtocol, doorsQuestion, type DoorState, isPort } from './doors.ts';
import { limits } from './limits.ts';

export interface DialBackDeps {
  readonly components: Components;
  readonly network: Pick<Network, 'answer'>;
  readonly clock: Clock;
}

/**
 * Tries the doors of those who ask, until the signal: at the address they come from and at no other, with their key expected there, a few at a time.
 *
 * @param hostOf - where an asker is dialled; `hostToDial` unless a test has reasons.
 */
export function answerDoors(deps: DialBackDeps, stopped: AbortSignal, hostOf = hostToDial): void {
  const { components, clock } = deps;
  const answers = createIntake(clock, limits.answersMax);
  let peers = 0;

  async function tryDoor(host: string | undefined, door: Door, peer: PeerId): Promise<DoorState> {
    if (host === undefined) return 'untried';
    const address = `${doorAddress(host, door)}/p2p/${peer}`;
    if (!isPort(door.port) || !isSpoken(components, address)) return 'untried';
    try {
      const connection = await dialAddress(components, clock, address, limits.dialBackMs, stopped);
      connection.abort(channelClosed('this link was only a trial'));
      return 'reachable';
    } catch {
      return stopped.aborted ? 'untried' : 'unreachable';
    }
  }

  async function reply(channel: Channel): Promise<void> {
    for await (const message of channel) {
      const { link } = channel;
      const { doors } = doorsQuestion.decode(message);
      const host = peers < limits.peersAtOnceMax && answers.take(link.peer) ? hostOf(link) : undefined;
      peers += 1;
      try {
        const states = await Promise.all(doors.map((door) => tryDoor(host, door, link.peer)));
        await channel.send(doorsAnswer.encode({ host: host ?? '', states }));
      } finally {
        peers -= 1;
      }
      return;
    }
  }

  const answering = deps.network.answer(doorsProtocol, reply);
  stopped.addEventListener('abort', () => answering[Symbol.dispose](), { once: true });
}

/**
 * The IP address a link comes from. None for a relayed one, none for loopback, and none for a WebSocket from a private network: there it may be the
 * proxy in front of this relay.
 */
export function hostToDial({
  path,
  address,
  transport,
}: Pick<Link, 'path' | 'address' | 'transport'>): string | undefined {
  const [, kind, host] = /^\/(ip4|ip6)\/([^/]+)\//u.exec(address) ?? [];
  if (path !== 'direct' || kind === undefined || host === undefined) return undefined;
  const place = multiaddr(`/${kind}/${host}`);
  if (isLoopback(place)) return undefined;
  return transport !== 'tcp' && isPrivate(place) ? undefined : host;
}

const isSpoken = ({ transportManager }: Components, address: string): boolean =>
  transportManager.dialTransportForMultiaddr(multiaddr(address)) !== undefined;
