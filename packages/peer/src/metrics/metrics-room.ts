import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  streamMethod,
} from '@peerai/core-protocol';
import {
  type AlertRule,
  type AlertState,
  collectiveValue,
  createAlertMachine,
  createStateTable,
  createStateTracker,
  openState,
  type SignedState,
  type StateMetrics,
  type StateSample,
  signState,
} from '@peerai/nn-engine/metrics';
import type { EventHub } from '../events/hub.ts';
import { metricsLimits } from './limits.ts';
import { metricsMethod } from './metrics-protocol.ts';
import type { MetricNumbers, StateMetricsView } from './metrics.schema.ts';

export interface MetricsRoomDeps {
  readonly identity: Identity;
  readonly network: Network;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly rules: readonly AlertRule[];
  /** What this peer's clusters are now; undefined without any. */
  readonly sample: () => StateSample | undefined;
  /** Devices that are here and may see states. */
  readonly others: () => readonly PeerId[];
  readonly mayTrain: (peer: PeerId) => boolean;
  /** 0 to 1: what a state weighs in the collective value. */
  readonly scoreOf: (peer: PeerId) => number;
  /** A peer sent a state under a signature that is wrong or not its own. */
  readonly forged: (peer: PeerId, state: Uint8Array) => void;
  readonly stopping: AbortSignal;
}
/** This peer's state each second while it has a cluster or somebody watches, and those of others while it watches them. */
export interface MetricsRoom {
  view(): StateMetricsView;
  /** Asks devices for their states for a while. */
  watch(forMs: number): StateMetricsView;
  /** This peer has clusters: begins to look each second, if it does not already. */
  wake(): void;
  /** Signed states of this peer for one subscriber; ends when there is none, or the right is gone. */
  serve(peer: PeerId, signal: AbortSignal): AsyncGenerator<{ readonly state: Uint8Array }, void, undefined>;
}

/** Throws INVALID_OPTION, LIMIT_REACHED for rules that are none. */
export function openMetricsRoom(deps: MetricsRoomDeps): MetricsRoom {
  const { identity, clock, events, logger, stopping, nameOf } = deps;
  const machine = createAlertMachine(deps.rules);
  const tracker = createStateTracker();
  const table = createStateTable(deps);
  const hearing = new Set<PeerId>();
  let alerts: AlertState = machine.initial;
  let own: { readonly state: SignedState; readonly signed: Uint8Array } | undefined;
  let watchedUntilMs = -Infinity;
  let sequence = 0;
  let subscribers = 0;
  let isRunning = false;
  const isWatched = (): boolean => clock.nowMs() < watchedUntilMs;
  const view = (): StateMetricsView => {
    const others = table.current();
    const all = own === undefined ? others : [own.state, ...others];
    const { metrics, peers } = collectiveValue(all, deps.scoreOf);
    const viewOf = ({ peer, timeMs, metrics: said }: SignedState) => ({
      peerId: peer,
      name: nameOf(peer),
      timeMs,
      metrics: numbersOf(said),
    });
    return {
      v: 1,
      own: own === undefined ? null : viewOf(own.state),
      others: others.map(viewOf),
      collective: { metrics: numbersOf(metrics), peers, weights: 'reputation' },
      alerts: deps.rules.map((rule, index) => ({ ...rule, raised: alerts[index] ?? false })),
      subscribers,
      watchedUntilMs: isWatched() ? watchedUntilMs : null,
    };
  };
  const observe = (): void => {
    const sample = deps.sample();
    if (sample === undefined) {
      own = undefined;
      return;
    }
    const timeMs = clock.nowMs();
    const metrics = tracker.observe(sample);
    // Begins at the time, so that it rises over restarts too.
    sequence = Math.max(sequence + 1, timeMs);
    const state = { metrics, sequence, timeMs };
    own = { state: { ...state, peer: identity.peer }, signed: signState(identity, state) };
    const [next, changes] = machine.step(alerts, metrics, timeMs);
    alerts = next;
    for (const { rule, raised, value } of changes) {
      logger.warn(raised ? 'metrics-alert' : 'metrics-alert-over', { ...rule, value });
      events.emit({ type: 'metrics-alert', rule, raised, value });
    }
  };
  const hear = async (peer: PeerId): Promise<void> => {
    hearing.add(peer);
    try {
      for await (const { state } of streamMethod(deps, peer, metricsMethod, { version: 1 }, { signal: stopping })) {
        if (!isWatched() || !deps.mayTrain(peer)) return;
        take(peer, state);
      }
    } catch (error) {
      logger.debug('metrics-unheard', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    } finally {
      // Who has none, or is away, is asked again a little later.
      await clock.sleep(metricsLimits.metricsAgainMs, stopping).catch(() => undefined);
      hearing.delete(peer);
    }
  };
  /** A peer speaks for itself alone; what is unsigned, stale or another's is left out. */
  const take = (peer: PeerId, signed: Uint8Array): void => {
    try {
      const isItsOwn = openState(deps.crypto, signed).peer === peer;
      if (isItsOwn) table.accept(signed);
      else deps.forged(peer, signed);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      if (error.code === 'INVALID_SIGNATURE') deps.forged(peer, signed);
      logger.debug('metrics-left-out', { peer, code: error.code });
    }
  };
  const run = async (): Promise<void> => {
    isRunning = true;
    for (;;) {
      observe();
      if (stopping.aborted || (own === undefined && !isWatched())) break;
      if (isWatched()) for (const peer of deps.others()) if (!hearing.has(peer)) void hear(peer);
      if (isWatched()) events.emit({ type: 'metrics_update', metrics: view() });
      await clock.sleep(metricsLimits.metricsEveryMs, stopping).catch(() => undefined);
    }
    isRunning = false;
  };
  const wake = (): void => {
    if (!isRunning && !stopping.aborted) void run();
  };
  return {
    view,
    watch(forMs) {
      watchedUntilMs = Math.max(watchedUntilMs, clock.nowMs() + forMs);
      wake();
      return view();
    },
    wake,
    async *serve(peer, signal) {
      wake();
      subscribers += 1;
      let last = -1;
      const until = AbortSignal.any([signal, stopping]);
      try {
        for (;;) {
          const now = own;
          if (now === undefined || !deps.mayTrain(peer)) return;
          if (now.state.sequence > last) yield { state: now.signed };
          last = now.state.sequence;
          await clock.sleep(metricsLimits.metricsEveryMs, until);
        }
      } finally {
        subscribers -= 1;
      }
    },
  };
}

const numbersOf = (metrics: StateMetrics): MetricNumbers => ({
  phi: metrics.phi ?? null,
  coherence: metrics.coherence ?? null,
  entropy: metrics.entropy ?? null,
  valence: metrics.valence ?? null,
  arousal: metrics.arousal ?? null,
  empathy: metrics.empathy ?? null,
  insight: metrics.insight ?? null,
});
