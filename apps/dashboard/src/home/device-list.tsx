import type { ReactNode } from 'react';
import { Icon, PathLine, State } from '../ui/icon.tsx';
import type { DeviceRow } from './devices.ts';

export function DeviceList({
  rows,
  picked,
  onPick,
}: {
  readonly rows: readonly DeviceRow[];
  readonly picked: string | undefined;
  readonly onPick: (row: DeviceRow) => void;
}): ReactNode {
  return (
    <ul className="rows">
      {rows.map((row) => (
        <li key={row.id}>
          <button
            type="button"
            className="device"
            aria-haspopup="dialog"
            aria-expanded={row.id === picked}
            onClick={() => onPick(row)}
          >
            <Icon name={row.icon} />
            <b>{row.name}</b>
            <span className="sub">{row.detail}</span>
            <span className="side">
              <State dot={row.dot}>
                <span className="path">
                  {row.word}
                  {row.path !== null && <PathLine path={row.path} />}
                </span>
              </State>
              <span className="quiet">{row.aside}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
