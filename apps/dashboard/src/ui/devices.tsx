import type { PeerView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { State } from './icon.tsx';
import { ui } from './strings.ts';

/** Those that can be written to: paired and not blocked. */
export const usableDevices = (peers: readonly PeerView[]): readonly PeerView[] =>
  peers.filter(({ kind, state }) => kind === 'device' && state !== 'blocked');

export function NoDevice(): ReactNode {
  return <p className="pad muted">{ui.noDevice}</p>;
}

export function DeviceField({
  devices,
  label = ui.device,
  children,
  ...rest
}: {
  readonly devices: readonly PeerView[];
  readonly label?: string;
  readonly name?: string;
  readonly value?: string;
  readonly onChoose?: (peerId: string) => void;
  /** Choices before the devices. */
  readonly children?: ReactNode;
}): ReactNode {
  const { onChoose, ...select } = rest;
  return (
    <label className="field">
      {label}
      <select {...select} onChange={(event) => onChoose?.(event.target.value)}>
        {children}
        {devices.map(({ peerId, name }) => (
          <option key={peerId} value={peerId}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Any number of devices, as `member`. With `away`, those that are away cannot be chosen and are marked by it. */
export function DeviceChoices({
  devices,
  away,
}: {
  readonly devices: readonly PeerView[];
  readonly away?: string;
}): ReactNode {
  if (devices.length === 0) return <NoDevice />;
  const isOut = ({ state }: PeerView): boolean => away !== undefined && state !== 'online';
  return (
    <div>
      {devices.map((device) => (
        <label key={device.peerId} className="opt">
          <input type="checkbox" name="member" value={device.peerId} disabled={isOut(device)} />
          <span className={isOut(device) ? 'quiet' : ''}>
            {device.name}
            {isOut(device) && <small> · {away}</small>}
          </span>
        </label>
      ))}
    </div>
  );
}

/** Whether a member is here now; there may be members that are no device of ours. */
export function MemberState({
  peer,
  self,
}: {
  readonly peer: PeerView | undefined;
  readonly self: boolean;
}): ReactNode {
  const word = self ? 'self' : (peer?.state ?? 'stranger');
  const dot = self || word === 'online' ? (peer?.path ?? 'direct') : word === 'blocked' ? 'blocked' : 'offline';
  return (
    <span className="small">
      <State dot={dot}>{ui.member[word]}</State>
    </span>
  );
}
