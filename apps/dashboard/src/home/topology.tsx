import { useMemo, useRef, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { icons } from '../ui/icons.ts';
import type { DeviceRow } from './devices.ts';
import { map, type Place, placeDevices, rings } from './layout.ts';
import { home } from './strings.ts';

const centre: Place = { x: map.centreX, y: map.centreY, radius: 0 };
const nameCharsMax = 14;

/** The map: who is how far, over which path, with how much traffic. The list beside it is its equal for keyboards and readers. */
export function Topology({
  rows,
  picked,
  onPick,
}: {
  readonly rows: readonly DeviceRow[];
  readonly picked: string | undefined;
  readonly onPick: (row: DeviceRow) => void;
}): ReactNode {
  const self = rows.find((row) => row.kind === 'self');
  const others = rows.filter((row) => row.kind !== 'self' && row.dot !== 'blocked');
  const shown = others.slice(0, limits.mapDevicesMax);
  const places = usePlaces(shown);
  const largest = Math.max(1, ...shown.map((row) => row.bytes));
  if (self === undefined) return null;
  const spoken = `${shown.map((row) => `${row.name} ${row.word} ${row.aside}`).join('; ')}. ${home.mapSays}`;
  return (
    <svg
      className="topo"
      viewBox={`0 0 ${map.width} ${map.height}`}
      role="img"
      aria-label={`${home.mapTitle(self.name)}: ${spoken}`}
    >
      {rings.map(({ radius }) => (
        <circle key={radius} className="ring" cx={map.centreX} cy={map.centreY} r={radius} />
      ))}
      {rings.map(({ ms, radius }) => (
        <text key={ms} className="scale" x={map.centreX + 6} y={map.centreY - radius - 4 + (radius > 200 ? 18 : 0)}>
          {ms} ms
        </text>
      ))}
      {shown.map((row) => (
        <Edge key={row.id} row={row} place={places.get(row.id) ?? centre} share={row.bytes / largest} />
      ))}
      <Node row={self} place={centre} picked={picked === self.id} onPick={onPick} />
      {shown.map((row) => (
        <Node key={row.id} row={row} place={places.get(row.id) ?? centre} picked={picked === row.id} onPick={onPick} />
      ))}
      {others.length > shown.length && (
        <text x={map.width - 80} y={map.height - 12}>
          {home.mapMore(others.length - shown.length)}
        </text>
      )}
    </svg>
  );
}

/** Placed anew only when somebody comes, goes or moves to another distance; everybody else stays. */
function usePlaces(rows: readonly DeviceRow[]): ReadonlyMap<string, Place> {
  const before = useRef<ReadonlyMap<string, Place>>(new Map());
  const requests = rows.map(({ id, roundTripMs }) => ({
    id,
    roundTripMs: roundTripMs === null ? null : Math.round(roundTripMs / 5) * 5,
  }));
  const key = JSON.stringify(requests);
  return useMemo(() => {
    const places = placeDevices(JSON.parse(key) as typeof requests, before.current);
    before.current = places;
    return places;
  }, [key]);
}

function Edge({
  row,
  place,
  share,
}: {
  readonly row: DeviceRow;
  readonly place: Place;
  readonly share: number;
}): ReactNode {
  if (row.path === null) return null;
  const line = `M${centre.x} ${centre.y}L${place.x} ${place.y}`;
  if (row.path === 'direct') return <path className="direct" strokeWidth={1.5 + 3 * share} d={line} />;
  const x = (centre.x + place.x) / 2;
  const y = (centre.y + place.y) / 2;
  return (
    <>
      <path className="relayed" d={line} />
      <rect className="relay" x={x - 9} y={y - 9} width="18" height="18" rx="3" transform={`rotate(45 ${x} ${y})`} />
      <text x={x} y={y - 16}>
        {home.relay}
      </text>
    </>
  );
}

function Node({
  row,
  place,
  picked,
  onPick,
}: {
  readonly row: DeviceRow;
  readonly place: Place;
  readonly picked: boolean;
  readonly onPick: (row: DeviceRow) => void;
}): ReactNode {
  const self = row.kind === 'self';
  const radius = self ? 27 : map.nodeRadius;
  const name = row.name.length > nameCharsMax ? `${row.name.slice(0, nameCharsMax - 1)}…` : row.name;
  const shape = self ? 'self' : row.dot === 'pending' ? 'node wait' : 'node';
  return (
    <g
      className={picked ? 'pick picked' : 'pick'}
      transform={`translate(${place.x} ${place.y})`}
      onClick={() => onPick(row)}
    >
      {name !== row.name && <title>{row.name}</title>}
      <circle className={shape} r={radius} />
      <path
        className={self ? 'glyph glyph-self' : 'glyph'}
        d={icons[row.icon]}
        transform="translate(-11 -11) scale(1.1)"
      />
      {!self && <Badge dot={row.dot} />}
      <text className="name" y={radius + 17}>
        {name}
      </text>
      <text className="sub" y={radius + 33}>
        {row.path === null ? row.word : `${row.word} · ${row.aside}`}
      </text>
    </g>
  );
}

function Badge({ dot }: { readonly dot: DeviceRow['dot'] }): ReactNode {
  if (dot === 'pending') return null;
  return (
    <g transform="translate(18 18)">
      <circle className="badge" r="8" />
      <circle className={`badge-${dot}`} r="5" />
      {dot === 'relayed' && <path className="badge-half" d="M0 -5a5 5 0 0 0 0 10z" />}
      {dot === 'blocked' && <path className="badge-blocked" d="M-3 3L3 -3" />}
    </g>
  );
}
