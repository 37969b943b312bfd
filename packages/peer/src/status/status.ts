import type { Clock, CryptoProvider, Logger, Network, PeerId, Random } from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import type { KnownPeers } from '../http/known-peers.ts';
import type { PeerHttp } from '../http/open-messenger.ts';
import type { LinkBook } from '../links/link-book.ts';
import type { LocalModels } from '../models/local-models.ts';
import type { Models } from '../models/models.ts';
import type { NodeView } from '../node/node.schema.ts';
import type { Devices } from '../pairing/devices.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { createCapabilities, type PeerCapabilities } from './capabilities.ts';
import { createHeartbeat, type Heard, type Heartbeat } from './heartbeat.ts';
import { servePing } from './ping.ts';
import type { StatusReport } from './status.schema.ts';
import { createWake, type Wake } from './wake.ts';

export interface StatusDeps {
  readonly self: PeerId;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly known: KnownPeers;
  readonly http: Pick<PeerHttp, 'versions' | 'kinds'>;
  readonly links: LinkBook;
  readonly messenger: PeerMessenger;
  readonly name: () => string;
  readonly version: string;
  /** Where its owner says it is. */
  readonly region?: string | undefined;
  readonly startedMs: number;
  /** How often devices that are here are asked how they are. */
  readonly heartbeatMs?: number | undefined;
  readonly addresses: () => readonly string[];
  readonly operators?: () => Promise<readonly string[]>;
  readonly local: LocalModels;
  readonly models: Models;
  readonly mayChat: (peer: PeerId) => boolean;
  readonly tasks: Pick<Tasks, 'list' | 'types'>;
  readonly answering: () => NodeView['answering'];
  /** Something shown of a device is another. */
  readonly changed: (peer: PeerId) => void;
}

/** How peers are and what they can do: heartbeats, capabilities, wake-ups, and the answers to them. */
export interface Status {
  readonly capabilities: Pick<PeerCapabilities, 'own' | 'of' | 'answer'>;
  readonly wake: Wake['wake'];
  heard(peer: PeerId): Heard | undefined;
  /** How this peer is. */
  own(): Omit<StatusReport, 'startedMs' | 'sequence'>;
  /** A device said hello. */
  met(peer: PeerId, signal: AbortSignal): void;
  /** Its last link is gone. */
  left(peer: PeerId): void;
  start(signal: AbortSignal): void;
  stop(): void;
}

export function createStatus(deps: StatusDeps): Status {
  let heartbeat: Heartbeat | undefined;
  let serving: Disposable[] = [];
  const { clock, network, models, tasks } = deps;
  const capabilities = createCapabilities({
    ...deps,
    agent: `peerai/${deps.version}`,
    modelsFor: (peer) =>
      peer === undefined || mayAsk(deps, peer) ? models.exposedCards().map(({ name }) => name) : [],
    taskTypes: () => tasks.types(),
    versions: deps.http.versions,
    messageTypes: () => [...deps.messenger.kinds(), ...deps.http.kinds()],
    operators: deps.operators ?? (async () => []),
  });
  const stopping = new AbortController();
  const wake = createWake({
    ...deps,
    async model(wanted, signal) {
      const found = await deps.local.find(wanted ?? models.defaultName(), signal);
      return found !== undefined && models.isExposed(found.card.name) ? found : undefined;
    },
    woken: (peer) => void capabilities.learn(peer, stopping.signal),
  });
  const own = () => {
    const { active, queued, concurrentMax } = deps.answering();
    const taken = tasks.list().filter(({ direction, endedMs }) => direction === 'taken' && endedMs === null);
    const tasksRunning = taken.filter(({ status }) => status === 'in_progress').length;
    const state = active >= concurrentMax ? ('busy' as const) : ('ready' as const);
    return { state, answering: active, waiting: queued, tasksRunning, tasksWaiting: taken.length - tasksRunning };
  };
  return {
    capabilities,
    wake: wake.wake.bind(wake),
    heard: (peer) => heartbeat?.of(peer),
    own,
    met: (peer, signal) => void capabilities.learn(peer, signal),
    left: (peer) => heartbeat?.forget(peer),
    start(signal) {
      heartbeat = createHeartbeat({ ...deps, own });
      serving = [heartbeat, servePing({ network, clock }), capabilities.serve()];
      wake.start();
      void heartbeat.run(signal);
    },
    stop() {
      stopping.abort();
      wake.stop();
      for (const one of serving.splice(0)) one[Symbol.dispose]();
    },
  };
}

/** Older peers ask models by tasks alone. */
function mayAsk({ mayChat, known }: StatusDeps, peer: PeerId): boolean {
  const asker = known.get(peer);
  return mayChat(peer) || (asker?.isDevice === false && asker.allow.includes('tasks'));
}
