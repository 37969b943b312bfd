import type { MemoryGraphView } from '@peerai/peer/control';
import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationNodeDatum,
} from 'd3-force';

/** The picture's own units. */
export const picture = { width: 640, height: 420, radius: 9, margin: 18 } as const;

interface Body extends SimulationNodeDatum {
  readonly id: string;
}

/** Where each capsule stands: what is bound is drawn together, all push each other apart. The same graph gives the same picture. */
export function placeCapsules({
  capsules,
  links,
}: Pick<MemoryGraphView, 'links'> & {
  readonly capsules: readonly { readonly id: string }[];
}): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  const { width, height, radius, margin } = picture;
  const bodies = capsules.map(({ id }, place): Body => {
    const angle = (place / Math.max(1, capsules.length)) * 2 * Math.PI;
    return { id, x: width / 2 + Math.cos(angle) * 190, y: height / 2 + Math.sin(angle) * 150 };
  });
  const inside = (value: number, size: number): number => Math.min(Math.max(value, margin), size - margin);
  const simulation = forceSimulation(bodies)
    .force(
      'bound',
      forceLink<Body, { source: string; target: string }>(links.map(({ from, to }) => ({ source: from, target: to })))
        .id(({ id }) => id)
        .distance(52),
    )
    .force('spread', forceManyBody<Body>().strength(-70))
    .force('apart', forceCollide<Body>(radius * 2))
    .force('x', forceX<Body>(width / 2).strength(0.05))
    .force('y', forceY<Body>(height / 2).strength(0.08))
    .force('inside', () => {
      for (const body of bodies) {
        body.x = inside(body.x ?? 0, width);
        body.y = inside(body.y ?? 0, height);
      }
    })
    .stop();
  simulation.tick(200);
  return new Map(bodies.map(({ id, x = 0, y = 0 }) => [id, { x: Math.round(x), y: Math.round(y) }]));
}
