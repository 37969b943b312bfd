import {
  callMethod,
  type Clock,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
} from '@peerai/core-protocol';
import type { LinkBook } from '../links/link-book.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { statusMethod } from './status-protocol.ts';
import type { StatusReport } from './status.schema.ts';

export interface HeartbeatDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly links: Pick<LinkBook, 'get'>;
  /** How this peer is now. */
  readonly own: () => Omit<StatusReport, 'startedMs' | 'sequence'>;
  readonly startedMs: number;
  /** How often; `limits.heartbeatEveryMs` unless said. */
  readonly heartbeatMs?: number | undefined;
  /** A device became healthy or unhealthy, or told something new. */
  readonly changed: (peer: PeerId) => void;
}
export interface Heard {
  readonly health: 'healthy' | 'unhealthy';
  /** The newest report. */
  readonly report: StatusReport | null;
  readonly heardMs: number | null;
}
/** How the devices that are here are: asked at every beat, by whichever side comes first. */
export interface Heartbeat extends Disposable {
  of(peer: PeerId): Heard | undefined;
  /** Nothing is known of it any more: its link is gone. */
  forget(peer: PeerId): void;
  run(signal: AbortSignal): Promise<void>;
}

interface Pulse {
  readonly misses: number;
  readonly report: StatusReport | null;
  /** Wall time. */
  readonly heardMs: number | null;
  /** When it was last heard, for the rhythm. */
  readonly atMs: number;
}

export function createHeartbeat(deps: HeartbeatDeps): Heartbeat {
  const { clock, links, devices, logger, heartbeatMs: everyMs = limits.heartbeatEveryMs } = deps;
  const pulses = new Map<PeerId, Pulse>();
  let sequence = 0;
  const say = (): StatusReport => {
    sequence += 1;
    return { ...deps.own(), startedMs: deps.startedMs, sequence };
  };
  const isUnhealthy = ({ misses }: Pulse): boolean => misses >= limits.heartbeatMissesMax;
  /** A report that is older than the one that is here says nothing. */
  const hear = (peer: PeerId, report: StatusReport): void => {
    const before = pulses.get(peer);
    const old = before?.report;
    if (old?.startedMs === report.startedMs && old.sequence >= report.sequence) return;
    pulses.set(peer, { misses: 0, report, heardMs: clock.nowMs(), atMs: clock.elapsedMs() });
    if (before === undefined || isUnhealthy(before) || !same(old, report)) deps.changed(peer);
  };
  const miss = (peer: PeerId, code: string): void => {
    const before = pulses.get(peer) ?? { misses: 0, report: null, heardMs: null, atMs: -Infinity };
    const after = { ...before, misses: before.misses + 1 };
    pulses.set(peer, after);
    logger.debug('heartbeat-missed', { peer, code, misses: after.misses });
    if (!isUnhealthy(before) && isUnhealthy(after)) deps.changed(peer);
  };
  const beat = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    try {
      hear(peer, await callMethod(deps, peer, statusMethod, say(), { signal }));
    } catch (error) {
      if (signal.aborted || links.get(peer) === undefined) return;
      // A version without this question is as well as its link says.
      const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
      if (code !== 'REFUSED') miss(peer, code);
    }
  };
  const serving = serveMethod(
    deps.network,
    statusMethod,
    async (theirs, { peer }) => {
      hear(peer, theirs);
      return say();
    },
    { clock },
  );
  return {
    of(peer) {
      const pulse = pulses.get(peer);
      if (pulse === undefined) {
        // Before the first beat, and of a version without this question, the link says it.
        const isHere = links.get(peer) !== undefined && devices.get(peer)?.blocked === false;
        return isHere ? { health: 'healthy', report: null, heardMs: null } : undefined;
      }
      const { report, heardMs } = pulse;
      return { health: isUnhealthy(pulse) ? 'unhealthy' : 'healthy', report, heardMs };
    },
    forget: (peer) => void pulses.delete(peer),
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(everyMs, signal).catch(() => undefined);
        if (signal.aborted) return;
        const due = devices.list().filter(({ peer, blocked }) => {
          const heardAgoMs = clock.elapsedMs() - (pulses.get(peer)?.atMs ?? -Infinity);
          return !blocked && links.get(peer) !== undefined && heardAgoMs >= everyMs / 2;
        });
        await Promise.all(due.map(({ peer }) => beat(peer, signal)));
      }
    },
    [Symbol.dispose]: () => serving[Symbol.dispose](),
  };
}

/** Whether people would see no difference. */
function same(a: StatusReport | null | undefined, b: StatusReport): boolean {
  return (
    a !== null && a !== undefined && JSON.stringify({ ...a, sequence: 0 }) === JSON.stringify({ ...b, sequence: 0 })
  );
}
