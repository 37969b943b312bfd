import type { NodeView, PeerView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useLive } from '../app/context.ts';
import { bytes, count, span } from '../shared/format.ts';
import { State, Verdict } from '../ui/icon.tsx';
import { Card } from '../ui/page.tsx';
import { Spark } from '../ui/people.tsx';
import { useNow } from '../ui/region.tsx';
import { countPaths } from './paths-count.ts';
import { health } from './strings.ts';

/** How this device is reached: relays, addresses, version. */
export function DeviceCard({ node }: { readonly node: NodeView }): ReactNode {
  const now = useNow(5_000);
  return (
    <Card title={health.device} aside={node.name}>
      <dl className="facts pad">
        <dt>{health.version}</dt>
        <dd>{node.version}</dd>
        <dt>{health.since}</dt>
        <dd>{span(now - node.startedMs)}</dd>
        <dt>{health.reach}</dt>
        <dd>{health.reaches[node.reach]}</dd>
        <dt>{health.relays}</dt>
        <dd>
          {node.relays.length === 0 && health.none}
          <ul className="stack">
            {node.relays.map((relay) => (
              <li key={relay.address}>
                {relay.state === 'connected' ? (
                  <Verdict state="ok">{health.relayStates.connected}</Verdict>
                ) : (
                  <Verdict state="look">{health.relayStates.unreachable}</Verdict>
                )}
                <br />
                <code className="small">{relay.address}</code>
              </li>
            ))}
          </ul>
        </dd>
        <dt>{health.addresses}</dt>
        <dd>
          {node.addresses.length === 0 && health.none}
          <ul className="stack small mono">
            {node.addresses.map((address) => (
              <li key={address}>{address}</li>
            ))}
          </ul>
        </dd>
      </dl>
    </Card>
  );
}

export function TrafficCard({ peers }: { readonly peers: readonly PeerView[] }): ReactNode {
  const { traffic } = useLive();
  const sum = (of: (peer: PeerView) => number): number => peers.reduce((total, peer) => total + of(peer), 0);
  const number = countPaths(peers);
  return (
    <Card title={health.traffic}>
      <div className="pad stack">
        <dl className="facts">
          <dt>{health.now}</dt>
          <dd>{health.perSecond(bytes(traffic.at(-1)?.bytesPerSecond ?? 0))}</dd>
          <dt>{health.out}</dt>
          <dd>{bytes(sum((peer) => peer.bytesSent))}</dd>
          <dt>{health.in}</dt>
          <dd>{bytes(sum((peer) => peer.bytesReceived))}</dd>
        </dl>
        <Spark values={traffic.map((point) => point.bytesPerSecond)} />
        <p className="row small">
          <State dot="direct">
            {health.direct} {count(number.direct)}
          </State>
          <State dot="relayed">
            {health.relayed} {count(number.relayed)}
          </State>
          <State dot="offline">
            {health.offline} {count(number.offline)}
          </State>
        </p>
      </div>
    </Card>
  );
}
