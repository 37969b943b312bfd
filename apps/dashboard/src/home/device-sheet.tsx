import type { NodeView, PeerPatch, PeerView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { Permissions } from '../pairing/permissions.tsx';
import { bytes, clockTime, roundTrip } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Command } from '../ui/copy.tsx';
import { State, Verdict } from '../ui/icon.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { FingerprintFact } from '../ui/people.tsx';
import { Loading } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Sure } from '../ui/sure.tsx';
import { device, home } from './strings.ts';

const DeviceAsks = lazy(async () => ({ default: (await import('./device-asks.tsx')).DeviceAsks }));

/** One device: who it is, how it is reached, what it may do here. */
export function DeviceSheet({
  peer,
  self,
  onClose,
}: {
  readonly peer: PeerView;
  readonly self: string;
  readonly onClose: () => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (patch: PeerPatch) => client.changePeer(peer.peerId, patch),
    onSuccess: (changed) => applyEvent(cache, { type: 'peer-updated', peer: changed }),
  });
  return (
    <Sheet title={peer.name} icon={peer.kind === 'guest' ? 'phone' : 'pc'} onClose={onClose}>
      <section>
        {peer.state === 'online' && (
          <p className={peer.path === 'relayed' ? 'hop hop-relayed' : 'hop'}>
            <span>{self}</span>
            <i>{peer.roundTripMs === null ? '' : roundTrip(peer.roundTripMs)}</i>
            <span>{peer.name}</span>
          </p>
        )}
        {peer.trouble !== undefined && <TroubleNote trouble={peer.trouble} away={peer.state === 'offline'} />}
        <Facts peer={peer} />
        <Ping peerId={peer.peerId} />
      </section>
      {peer.state === 'blocked' ? (
        <section>
          <Note kind="warn" title={device.blockedNow(peer.name)} live>
            <Button disabled={change.isPending} onClick={() => change.mutate({ blocked: false })}>
              {device.undo}
            </Button>
          </Note>
        </section>
      ) : (
        peer.kind === 'device' && (
          <section>
            <h3>{device.may(peer.name)}</h3>
            <Permissions
              allow={peer.allow}
              disabled={change.isPending}
              onChange={(allow) => change.mutate({ allow })}
            />
          </section>
        )
      )}
      {peer.kind === 'device' && peer.state !== 'blocked' && (
        <Suspense fallback={<Loading what={device.asks} />}>
          <DeviceAsks peer={peer} />
        </Suspense>
      )}
      <section>
        <Actions
          peer={peer}
          onRename={(name) => change.mutate({ name })}
          onBlock={() => change.mutate({ blocked: true })}
          onGone={onClose}
        />
        {change.isError && <ErrorNote title={device.failed} error={change.error} />}
      </section>
    </Sheet>
  );
}

function TroubleNote({
  trouble,
  away,
}: {
  readonly trouble: NonNullable<PeerView['trouble']>;
  readonly away: boolean;
}): ReactNode {
  return (
    <Note kind="warn" title={away ? device.whyAway : device.whatIsWrong}>
      <p>{trouble.reason}</p>
      <p>{trouble.remedy}</p>
      {trouble.command !== undefined && <Command text={trouble.command} />}
      <p className="small quiet">{device.step(trouble.step, trouble.code)}</p>
    </Note>
  );
}

function pathAt({ path, throughTurn }: PeerView, ms: string): string {
  if (path === 'relayed') return device.relayedAt(ms);
  return throughTurn === true ? device.turnAt(ms) : device.directAt(ms);
}

function Facts({ peer }: { readonly peer: PeerView }): ReactNode {
  const ms = peer.roundTripMs === null ? '' : roundTrip(peer.roundTripMs);
  return (
    <dl className="facts">
      <dt>{device.path}</dt>
      <dd>
        {peer.state === 'blocked' && <State dot="blocked">{device.isBlocked}</State>}
        {peer.state === 'offline' && (
          <State dot="offline">
            {peer.through === undefined ? device.notConnected : device.through(peer.through.join(', '))}
          </State>
        )}
        {peer.state === 'online' && (
          <State dot={peer.throughTurn === true ? 'relayed' : (peer.path ?? 'direct')}>{pathAt(peer, ms)}</State>
        )}
      </dd>
      {peer.hybrid !== undefined && (
        <>
          <dt>{device.sealed}</dt>
          <dd>{peer.hybrid ? device.sealedHybrid : device.sealedPlain}</dd>
        </>
      )}
      {(peer.report !== null || peer.health === 'unhealthy') && (
        <>
          <dt>{device.says}</dt>
          <dd>
            {peer.health === 'unhealthy' && <Verdict state="look">{device.silent}</Verdict>}
            {peer.health !== 'unhealthy' && peer.report !== null && device.report(peer.report)}
          </dd>
        </>
      )}
      <dt>{device.fingerprint}</dt>
      <dd>
        <FingerprintFact fingerprint={peer.fingerprint} />
      </dd>
      {peer.pairedMs !== null && (
        <>
          <dt>{device.paired}</dt>
          <dd>{clockTime(peer.pairedMs, Date.now())}</dd>
        </>
      )}
      <dt>{device.models}</dt>
      <dd>{peer.models.length === 0 ? device.none : peer.models.join(', ')}</dd>
      <dt>{device.traffic}</dt>
      <dd>{device.trafficOf(bytes(peer.bytesSent), bytes(peer.bytesReceived))}</dd>
      {peer.address !== null && (
        <>
          <dt>{device.address}</dt>
          <dd>
            <code>{peer.address}</code>
          </dd>
        </>
      )}
    </dl>
  );
}

function Ping({ peerId }: { readonly peerId: string }): ReactNode {
  const { client } = useApp();
  const ping = useMutation({ mutationFn: () => client.ping(peerId) });
  return (
    <div className="row">
      <Button disabled={ping.isPending} onClick={() => ping.mutate()}>
        {ping.isPending ? device.pinging : device.ping}
      </Button>
      <span role="status">
        {ping.isSuccess && device.pong(roundTrip(ping.data.roundTripMs), home[ping.data.path])}
        {ping.isError && <ErrorNote title={device.failed} error={ping.error} />}
      </span>
    </div>
  );
}

function Actions({
  peer,
  onRename,
  onBlock,
  onGone,
}: {
  readonly peer: PeerView;
  readonly onRename: (name: string) => void;
  readonly onBlock: () => void;
  readonly onGone: () => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [doing, setDoing] = useState<'rename' | 'unpair'>();
  const unpair = useMutation({
    mutationFn: () => client.removePeer(peer.peerId),
    onSuccess: () => {
      applyEvent(cache, { type: 'peer-removed', peerId: peer.peerId });
      onGone();
    },
  });
  if (doing === 'rename') return <Rename peer={peer} onSave={onRename} onClose={() => setDoing(undefined)} />;
  if (doing === 'unpair') {
    return (
      <Sure
        title={device.unpairSure(peer.name)}
        act={device.unpairNow}
        doing={unpair}
        onAct={() => unpair.mutate()}
        onKeep={() => setDoing(undefined)}
      />
    );
  }
  return (
    <div className="row">
      {peer.kind === 'device' && (
        <Button icon="edit" onClick={() => setDoing('rename')}>
          {device.rename}
        </Button>
      )}
      {peer.state !== 'blocked' && (
        <Button look="bad" onClick={onBlock}>
          {device.block}
        </Button>
      )}
      {peer.kind === 'device' && (
        <Button look="bad" onClick={() => setDoing('unpair')}>
          {device.unpair}
        </Button>
      )}
    </div>
  );
}

function Rename({
  peer,
  onSave,
  onClose,
}: {
  readonly peer: PeerView;
  readonly onSave: (name: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState(peer.name);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(name.trim());
        onClose();
      }}
    >
      <label className="field">
        {device.name}
        <input
          value={name}
          maxLength={64}
          required
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <div className="row">
        <Button look="primary" type="submit" disabled={name.trim() === ''}>
          {device.save}
        </Button>
        <Button onClick={onClose}>{device.cancel}</Button>
      </div>
    </form>
  );
}

/** This device itself. */
export function SelfSheet({ node, onClose }: { readonly node: NodeView; readonly onClose: () => void }): ReactNode {
  return (
    <Sheet title={node.name} icon="laptop" onClose={onClose}>
      <section>
        <State dot="direct">{home.thisDevice}</State>
        <dl className="facts">
          <dt>{device.fingerprint}</dt>
          <dd>
            <FingerprintFact fingerprint={node.fingerprint} />
          </dd>
          <dt>{device.version}</dt>
          <dd>{node.version}</dd>
          <dt>{device.api}</dt>
          <dd>
            <code>{node.api}</code>
          </dd>
          <dt>{device.home}</dt>
          <dd>
            <code>{node.home}</code>
          </dd>
          <dt>{device.peerId}</dt>
          <dd>
            <code>{node.peerId}</code>
          </dd>
        </dl>
      </section>
      <section>
        <h3>{device.addresses}</h3>
        <ul className="stack small">
          {node.addresses.length === 0 && <li>{device.none}</li>}
          {node.addresses.map((address) => (
            <li key={address} className="mono anywhere">
              {address}
            </li>
          ))}
        </ul>
      </section>
    </Sheet>
  );
}
