import type { Point } from './point.ts';

/** Bounds of the product that a larger network reaches and the measured ones do not. */
export interface ModelBounds {
  /** Records a node keeps of others. */
  readonly recordsMax: number;
  /** Bytes that one kept record takes. */
  readonly recordBytes: number;
  /** A node looks for more links while it has fewer. */
  readonly linksWanted: number;
  /** How often a node's record is announced anew, seconds. */
  readonly announceEverySeconds: number;
}
export interface Predicted {
  readonly nodes: number;
  readonly links: number;
  readonly liveBytes: number;
  /** Bytes sent a second: while nobody says anything, and for the announcements of all records, spread over the time between two of them. */
  readonly quietBytes: number;
  readonly announceBytes: number;
}
/** `base + slope · x`. */
export interface Line {
  readonly base: number;
  readonly slope: number;
}
export interface Model {
  /** What one node of a network of so many would take. */
  at(nodes: number): Predicted;
  /** Links of a node in a large network. */
  readonly links: number;
  readonly lines: Readonly<Record<Fitted, Line>>;
}
type Fitted = 'liveBytes' | 'quietBytes' | 'announceBytes';

/**
 * What one node of a larger network would take, by arithmetic from measured smaller ones. A model: no network of that size was run.
 *
 *     links(N)    = min(N − 1, w)                        w: the mean of the measured networks that have more nodes than a node wants links
 *     live(N)     = c + d · links(N) + r · (kept(N) − kept in the measured ones), kept(N) = min(N, recordsMax)
 *     quiet(N)    = f + g · links(N)
 *     announce(N) = (h + i · N) / seconds between two announcements
 *
 * The three lines are least squares over the points; r is measured by itself. Throws RangeError below three points, and where all networks are small.
 */
export function calibrate(points: readonly Point[], bounds: ModelBounds): Model {
  const large = points.filter(({ nodes }) => nodes - 1 > bounds.linksWanted);
  if (points.length < 3 || large.length === 0)
    throw new RangeError(`${points.length} points, ${large.length} of them large; at least 3 and 1`);
  const most = large.reduce((sum, { links }) => sum + links, 0) / large.length;
  const lines = {
    liveBytes: line(points, ({ links }) => links, 'liveBytes'),
    quietBytes: line(points, ({ links }) => links, 'quietBytes'),
    announceBytes: line(points, ({ nodes }) => nodes, 'announceBytes'),
  };
  const keptAlready = points.reduce((sum, { nodes }) => sum + nodes, 0) / points.length;
  const at = (nodes: number): Predicted => {
    const links = Math.min(nodes - 1, most);
    const more = Math.max(0, Math.min(nodes, bounds.recordsMax) - keptAlready) * bounds.recordBytes;
    return {
      nodes,
      links,
      liveBytes: on(lines.liveBytes, links) + more,
      quietBytes: on(lines.quietBytes, links),
      announceBytes: on(lines.announceBytes, nodes) / bounds.announceEverySeconds,
    };
  };
  return { at, links: most, lines };
}

const on = ({ base, slope }: Line, x: number): number => base + slope * x;

/** How far a prediction is from what was measured, as a share of the latter. */
export const offBy = (predicted: number, measured: number): number => Math.abs(predicted - measured) / measured;

/** The straight line with the least squares. Points that all have one `x` give their mean. */
function line(points: readonly Point[], x: (point: Point) => number, y: Fitted): Line {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(x), mean((point) => point[y])];
  const spread = mean((point) => (x(point) - meanX) ** 2);
  const slope = spread === 0 ? 0 : mean((point) => (x(point) - meanX) * (point[y] - meanY)) / spread;
  return { base: meanY - slope * meanX, slope };
}
