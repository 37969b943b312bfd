import type { Clock, PeerId } from '@peerai/core-protocol';
import type { Peers } from '../pairing/peers.ts';
import type { PeerView } from '../pairing/pairing.schema.ts';
import type { PeerReputation } from '../reputation/reputation.ts';
import type { Status } from '../status/status.ts';
import type { CensusView } from './census.schema.ts';

/** How far back coming and going is counted, milliseconds, and so many changes at the most: the oldest are forgotten. */
export const censusLimits = { windowMs: 3_600_000, changesMax: 1_024 } as const;

export interface CensusDeps {
  readonly clock: Clock;
  readonly peers: Pick<Peers, 'list'>;
  readonly capabilities: Pick<Status['capabilities'], 'of'>;
  readonly reputation: Pick<PeerReputation, 'scores'>;
}
/** The peers around this one in numbers. */
export interface Census {
  /** Asks devices that are here what they run, where they have not said; who does not answer counts as not known. */
  take(signal: AbortSignal): Promise<CensusView>;
  /** The first link to a peer came up, or the last went. */
  changed(up: boolean): void;
}

export function createCensus({ clock, peers, capabilities, reputation }: CensusDeps): Census {
  const startedMs = clock.nowMs();
  let changes: readonly (readonly [atMs: number, up: boolean])[] = [];
  const recent = () => changes.filter(([atMs]) => clock.nowMs() - atMs < censusLimits.windowMs);
  return {
    changed(up) {
      changes = [...recent(), [clock.nowMs(), up] as const].slice(-censusLimits.changesMax);
    },
    async take(signal) {
      const all = peers.list();
      const devices = all.filter(({ kind }) => kind === 'device');
      const here = all.filter(({ path }) => path !== null);
      const told = await Promise.all(
        devices.map(async ({ peerId, path }) =>
          path === null ? undefined : capabilities.of(peerId, signal).catch(() => undefined),
        ),
      );
      const scoreOf = await reputation.scores();
      const scores = devices.map(({ peerId }) => scoreOf(peerId as PeerId));
      const ups = recent().filter(([, up]) => up).length;
      return {
        v: 1,
        devices: devices.length,
        online: devices.filter(({ path }) => path !== null).length,
        others: here.filter(({ kind }) => kind !== 'device').length,
        networks: counted(all.map(wayOf)),
        regions: counted(told.map((said) => said?.region || 'not said')),
        versions: counted(told.map((said) => said?.agent || 'not known')),
        ciphers: counted(here.map(cipherOf)),
        meanReputation: scores.length === 0 ? null : scores.reduce((sum, one) => sum + one, 0) / scores.length,
        churn: {
          came: ups,
          went: recent().length - ups,
          windowMs: censusLimits.windowMs,
          sinceMs: Math.max(startedMs, clock.nowMs() - censusLimits.windowMs),
        },
      };
    },
  };
}

const wayOf = ({ path, transport }: PeerView): string =>
  path === null ? 'away' : path === 'direct' && transport !== undefined ? `direct ${transport}` : path;

/** Of the link itself: Noise, with or without the post-quantum exchange in it. */
const cipherOf = ({ hybrid }: PeerView): string =>
  hybrid === undefined ? 'not known' : hybrid ? 'Noise, X25519 and ML-KEM-768' : 'Noise, X25519';

function counted(names: readonly string[]): CensusView['networks'] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, peers]) => ({ name, peers }))
    .sort((a, b) => b.peers - a.peers || (a.name < b.name ? -1 : 1));
}
