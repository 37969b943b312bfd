import { PeerAiError, type PeerId, serveMethod, toHex } from '@peerai/core-protocol';
import type { Devices } from '../pairing/devices.ts';
import type { PeerReputation } from '../reputation/reputation.ts';
import { metricsMethod } from './metrics-protocol.ts';
import type { MetricsRoom, MetricsRoomDeps } from './metrics-room.ts';
import type { StateMetricsView } from './metrics.schema.ts';

export interface MetricsDeps extends Omit<MetricsRoomDeps, 'others' | 'scoreOf' | 'forged'> {
  readonly devices: Devices;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly reputation: () => Pick<PeerReputation, 'scores' | 'note'>;
}
/** State metrics of this peer and of others. Without a cluster, and while nobody watches, nothing is computed. */
export interface PeerMetrics {
  view(): Promise<StateMetricsView>;
  /** Asks devices for their states for a while. */
  watch(forMs: number): Promise<StateMetricsView>;
  /** This peer has a cluster. */
  wake(): void;
  /** Answers paired peers until the peer stops. */
  start(): void;
}

/** What computes them is loaded when it is used. */
export function createMetrics(deps: MetricsDeps): PeerMetrics {
  const { devices, isOnline, mayTrain, stopping, logger } = deps;
  const others = () => devices.list().flatMap(({ peer }) => (mayTrain(peer) && isOnline(peer) ? [peer] : []));
  let opening: Promise<MetricsRoom> | undefined;
  const open = async (): Promise<MetricsRoom> => {
    const reputation = deps.reputation();
    const [{ openMetricsRoom }, scoreOf] = await Promise.all([import('./metrics-room.ts'), reputation.scores()]);
    const forged = (peer: PeerId, state: Uint8Array): void =>
      reputation.note(peer, 'forgery', toHex(deps.crypto.sha256(state)));
    return openMetricsRoom({ ...deps, others, scoreOf, forged });
  };
  const room = (): Promise<MetricsRoom> => (opening ??= open());
  return {
    view: async () => (await room()).view(),
    watch: async (forMs) => (await room()).watch(forMs),
    wake: () =>
      void room().then(
        (opened) => opened.wake(),
        (error: unknown) => logger.error('metrics-failed', { error: String(error) }),
      ),
    start() {
      const serving = serveMethod(
        deps.network,
        metricsMethod,
        async function* answer(_, { peer, signal }) {
          if (!mayTrain(peer)) throw new PeerAiError('NOT_GRANTED', 'this device may not see states here');
          if (deps.sample() !== undefined) yield* (await room()).serve(peer, signal);
        },
        { clock: deps.clock },
      );
      stopping.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
    },
  };
}
