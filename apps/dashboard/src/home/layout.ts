import { forceCollide, forceManyBody, forceRadial, forceSimulation, type SimulationNodeDatum } from 'd3-force';

/** The map's own units. */
export const map = { width: 600, height: 440, centreX: 300, centreY: 215, nodeRadius: 24, margin: 46 } as const;

/** Rings of equal round trip, milliseconds to radius. */
export const rings = [
  { ms: 10, radius: 112 },
  { ms: 50, radius: 160 },
  { ms: 100, radius: 206 },
] as const;

export interface Place {
  readonly x: number;
  readonly y: number;
  /** The distance it was asked to have; others may have pushed it from there. */
  readonly radius: number;
}

/** Who is this much nearer or further than before takes a new place; smaller changes are noise. */
const movesFromRadius = 20;

export interface PlaceRequest {
  readonly id: string;
  /** `null` while there is no path: the far edge. */
  readonly roundTripMs: number | null;
}

interface Body extends SimulationNodeDatum {
  readonly id: string;
  readonly radius: number;
}

/** How far from the centre a round trip is drawn: straight between the rings, never under this device's own label. */
export function radiusOf(roundTripMs: number | null): number {
  if (roundTripMs === null) return 222;
  const clamped = Math.min(Math.max(roundTripMs, 0), 140);
  let from: { readonly ms: number; readonly radius: number } = { ms: 0, radius: 104 };
  for (const ring of rings) {
    if (clamped <= ring.ms)
      return from.radius + ((clamped - from.ms) / (ring.ms - from.ms)) * (ring.radius - from.radius);
    from = ring;
  }
  return 206 + (clamped - 100) * 0.2;
}

/**
 * Where each device stands. Distance follows the round trip, the direction follows the key; devices push each other apart.
 * Who stood somewhere stays exactly there: the map never jumps because of one newcomer.
 */
export function placeDevices(devices: readonly PlaceRequest[], before: ReadonlyMap<string, Place>): Map<string, Place> {
  const bodies: Body[] = devices.map(({ id, roundTripMs }) => {
    const radius = radiusOf(roundTripMs);
    return { id, radius, ...placeOf(before.get(id), id, radius) };
  });
  const self: Body = { id: '', radius: 0, x: map.centreX, y: map.centreY, fx: map.centreX, fy: map.centreY };
  // Its own name hangs below it and needs room too.
  const label: Body = { ...self, y: map.centreY + 52, fy: map.centreY + 52 };
  const simulation = forceSimulation([self, label, ...bodies])
    .force(
      'ring',
      forceRadial<Body>((body) => body.radius, map.centreX, map.centreY).strength((body) => (body.id === '' ? 0 : 0.5)),
    )
    .force(
      'spread',
      forceManyBody<Body>().strength((body) => (body.id === '' ? 0 : -260)),
    )
    .force('apart', forceCollide<Body>((body) => (body.id === '' ? 44 : 52)).strength(0.9))
    .force('inside', () => bodies.forEach(keepInside))
    .stop();
  simulation.tick(160);
  return new Map(
    bodies.map((body) => [body.id, { x: Math.round(body.x ?? 0), y: Math.round(body.y ?? 0), radius: body.radius }]),
  );
}

/** Labels hang below a device, so the lower margin is wider. */
function keepInside(body: Body): void {
  body.x = Math.min(Math.max(body.x ?? 0, map.margin + 10), map.width - map.margin - 10);
  body.y = Math.min(Math.max(body.y ?? 0, map.nodeRadius + 8), map.height - map.margin - 30);
}

function placeOf(before: Place | undefined, id: string, radius: number): Pick<Body, 'x' | 'y' | 'fx' | 'fy'> {
  if (before === undefined) return startOf(id, radius);
  const { x, y } = before;
  return Math.abs(before.radius - radius) < movesFromRadius ? { x, y, fx: x, fy: y } : { x, y };
}

/** The same key starts in the same direction on every visit. */
function startOf(id: string, radius: number): { readonly x: number; readonly y: number } {
  let hash = 2_166_136_261;
  for (const character of id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
  const angle = ((hash >>> 0) / 2 ** 32) * 2 * Math.PI;
  return { x: map.centreX + Math.cos(angle) * radius, y: map.centreY + Math.sin(angle) * radius };
}
