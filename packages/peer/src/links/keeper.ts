import {
  callMethod,
  type Clock,
  fromHex,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  toHex,
} from '@peerai/core-protocol';
import { toldUrl } from '../http/told-url.ts';
import { limits } from '../limits.ts';
import { agreedLease, type Device, type Devices, leasesOf, withLease } from '../pairing/devices.ts';
import { type Hello, helloMethod } from './hello-protocol.ts';
import type { LinkBook } from './link-book.ts';

export interface KeeperDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly links: LinkBook;
  readonly hello: () => Omit<Hello, 'leases'>;
  /** A device answered: its models may be asked now. */
  readonly met: (peer: PeerId, theirs: Hello) => void;
}

/** Keeps a link to every paired device: dials what is away, with growing waits, and says hello when it is there. */
export interface Keeper {
  start(): void;
  stop(): void;
  /** Tries this device now, instead of when its wait is over. */
  nudge(peer: PeerId): void;
}

export function createKeeper(deps: KeeperDeps): Keeper {
  const stopping = new AbortController();
  const running = new Map<PeerId, AbortController>();
  let serving: Disposable | undefined;

  const whileLinked = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    while (deps.links.get(peer) !== undefined && !signal.aborted) {
      await deps.clock.sleep(limits.redialMsMin, signal).catch(() => undefined);
    }
  };
  const keep = async (peer: PeerId, wake: AbortController): Promise<void> => {
    let waitMs: number = limits.redialMsMin;
    while (!stopping.signal.aborted && !wake.signal.aborted) {
      const device = deps.devices.get(peer);
      if (device === undefined) return;
      const met = !device.blocked && (await greet(deps, device, stopping.signal));
      if (met) waitMs = limits.redialMsMin;
      await deps.clock.sleep(waitMs, AbortSignal.any([stopping.signal, wake.signal])).catch(() => undefined);
      // A link alone is not enough: one that came up without a hello is asked again.
      if (met) await whileLinked(peer, AbortSignal.any([stopping.signal, wake.signal]));
      else waitMs = Math.min(limits.redialMsMax, waitMs * 2);
    }
  };
  const nudge = (peer: PeerId): void => {
    running.get(peer)?.abort();
    const wake = new AbortController();
    running.set(peer, wake);
    void keep(peer, wake)
      .catch((error: unknown) =>
        deps.logger.error('keeper-failed', { peer, error: error instanceof Error ? error.name : typeof error }),
      )
      .finally(() => {
        if (running.get(peer) === wake) running.delete(peer);
      });
  };
  return {
    start() {
      serving ??= serveMethod(
        deps.network,
        helloMethod,
        async (theirs, { peer }) => {
          await remember(deps, peer, theirs);
          deps.met(peer, theirs);
          return helloTo(deps, peer);
        },
        { clock: deps.clock },
      );
      for (const { peer } of deps.devices.list()) nudge(peer);
    },
    stop() {
      stopping.abort();
      serving?.[Symbol.dispose]();
      serving = undefined;
    },
    nudge,
  };
}

async function greet(deps: KeeperDeps, device: Device, signal: AbortSignal): Promise<boolean> {
  try {
    const theirs = await callMethod(deps, device.peer, helloMethod, helloTo(deps, device.peer), {
      signal,
      addresses: device.addresses,
    });
    await remember(deps, device.peer, theirs);
    deps.met(device.peer, theirs);
    return true;
  } catch (error) {
    if (!PeerAiError.is(error)) throw error;
    deps.logger.debug('device-away', { peer: device.peer, code: error.code });
    return false;
  }
}

const helloTo = ({ devices, hello }: KeeperDeps, peer: PeerId): Hello => {
  const device = devices.get(peer);
  return { ...hello(), leases: device === undefined ? [] : leasesOf(device).map(fromHex) };
};

/** Keeps what a device says of its addresses. Its name stays what the owner here calls it. */
async function remember({ devices, clock }: KeeperDeps, peer: PeerId, theirs: Hello): Promise<void> {
  const told = theirs.addresses.slice(0, limits.addressesMax);
  const url = toldUrl(theirs.http);
  await devices.update(peer, (device) => {
    if (device === undefined) return undefined;
    const { http: _, sessions: __, frames: ___, ...known } = device;
    const addresses = told.length > 0 ? told : device.addresses;
    const sessions = theirs.sessions === undefined ? {} : { sessions: theirs.sessions };
    const frames = theirs.frames === undefined ? {} : { frames: theirs.frames };
    const http = url === undefined ? {} : { http: url };
    const met = { ...known, addresses, lastSeenMs: clock.nowMs(), ...http, ...sessions, ...frames };
    const lease = agreedLease(leasesOf(device), theirs.leases.map(toHex));
    return lease === undefined || lease === device.lease ? met : withLease(met, lease, device);
  });
}
