import type { NodeView } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { useModels, useNode, usePairings, usePeers } from '../app/queries.ts';
import { AddSheet } from '../pairing/add-sheet.tsx';
import { PairSheet } from '../pairing/pair-sheet.tsx';
import { Button } from '../ui/button.tsx';
import { PathLine, State } from '../ui/icon.tsx';
import { Note } from '../ui/note.tsx';
import { Card, PageHead } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { Checklist } from './checklist.tsx';
import { DeviceList } from './device-list.tsx';
import { DeviceSheet, SelfSheet } from './device-sheet.tsx';
import { type DeviceRow, deviceRows } from './devices.ts';
import { home } from './strings.ts';
import { Tiles } from './tiles.tsx';
import { Topology } from './topology.tsx';

export function HomePage(): ReactNode {
  const node = useNode();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHead title={home.title} lead={home.lead}>
        <Button look="primary" onClick={() => setAdding(true)}>
          {home.add}
        </Button>
      </PageHead>
      <Region query={node} what="this device">
        {(view) => <Network node={view} onAdd={() => setAdding(true)} />}
      </Region>
      {adding && <AddSheet onClose={() => setAdding(false)} />}
    </>
  );
}

function Network({ node, onAdd }: { readonly node: NodeView; readonly onAdd: () => void }): ReactNode {
  const peers = usePeers();
  const pending = usePairings().data?.pending ?? [];
  const models = useModels().data?.models ?? [];
  const now = useNow(5_000);
  const [picked, setPicked] = useState<DeviceRow>();
  const own = models.filter((model) => model.local).map((model) => model.model);
  return (
    <>
      {node.relays.some((relay) => relay.state === 'unreachable') && (
        <Note kind="warn" title={home.relayAway} live>
          <p>{home.relayAwayText}</p>
        </Note>
      )}
      {peers.data !== undefined && (
        <Checklist model={own[0]} deviceAdded={peers.data.some((peer) => peer.kind === 'device')} onAdd={onAdd} />
      )}
      <Region query={peers} what="devices">
        {(list) => {
          const rows = deviceRows(node, list, pending, own, now);
          return (
            <>
              <Devices rows={rows} picked={picked?.id} onPick={setPicked} onAdd={onAdd} />
              <PickedSheet row={picked} node={node} onClose={() => setPicked(undefined)} />
            </>
          );
        }}
      </Region>
      <Tiles node={node} />
    </>
  );
}

function Devices({
  rows,
  picked,
  onPick,
  onAdd,
}: {
  readonly rows: readonly DeviceRow[];
  readonly picked: string | undefined;
  readonly onPick: (row: DeviceRow) => void;
  readonly onAdd: () => void;
}): ReactNode {
  const number = (kind: DeviceRow['kind'], blocked: boolean): number =>
    rows.filter((row) => row.kind === kind && (row.dot === 'blocked') === blocked).length;
  return (
    <div className="cols">
      <Card title={home.map} aside={home.mapScale}>
        <Topology rows={rows} picked={picked} onPick={onPick} />
        <footer className="legend">
          <span className="path">
            {home.direct} <PathLine path="direct" />
          </span>
          <span className="path">
            {home.relayed} <PathLine path="relayed" />
          </span>
          <State dot="offline">{home.offline}</State>
          <State dot="pending">{home.waitingForYou}</State>
          <State dot="blocked">{home.blocked}</State>
        </footer>
      </Card>
      <Card
        title={home.devices}
        aside={home.summary(number('peer', false), number('pairing', false), number('peer', true))}
      >
        <DeviceList rows={rows} picked={picked} onPick={onPick} />
        {rows.length === 1 && (
          <div className="pad stack over">
            <h3>{home.onlyDevice}</h3>
            <p className="muted">{home.onlyDeviceText}</p>
            <Button onClick={onAdd}>{home.add}</Button>
          </div>
        )}
      </Card>
    </div>
  );
}

function PickedSheet({
  row,
  node,
  onClose,
}: {
  readonly row: DeviceRow | undefined;
  readonly node: NodeView;
  readonly onClose: () => void;
}): ReactNode {
  const peer = usePeers().data?.find(({ peerId }) => peerId === row?.id);
  const pairing = usePairings().data?.pending.find(({ id }) => id === row?.id);
  if (row === undefined) return null;
  if (row.kind === 'self') return <SelfSheet node={node} onClose={onClose} />;
  if (peer !== undefined) return <DeviceSheet peer={peer} self={node.name} onClose={onClose} />;
  return pairing === undefined ? null : <PairSheet pairing={pairing} onClose={onClose} />;
}
