const blocks = '▁▂▃▄▅▆▇█';

/** A table of points of two spirals in each other, with a little noise: no straight line tells them apart. The same seed gives the same. */
export function spirals(rows: number, seed: number): string {
  let state = seed * 7_919;
  // Park and Miller's generator is enough for points to look at.
  const next = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  next();
  const lines = Array.from({ length: rows }, (_, row) => {
    const turn = 0.5 + 3 * Math.PI * Math.sqrt(next());
    const side = row % 2 === 0 ? 0 : Math.PI;
    const [x, y] = [Math.cos(turn + side), Math.sin(turn + side)].map((unit) => unit * turn + (next() - 0.5) * 1.2);
    return `${x?.toFixed(3) ?? ''},${y?.toFixed(3) ?? ''},${side === 0 ? 'one' : 'other'}`;
  });
  return ['x,y,spiral', ...lines, ''].join('\n');
}

/** Values in one line of blocks, from 0 to the greatest; the newest to the right. */
export function sparkOf(values: readonly number[], width = 40): string {
  const most = Math.max(...values, Number.MIN_VALUE);
  return sampled(values, width)
    .map((value) => blocks[Math.min(7, Math.floor((value / most) * 8))] ?? '')
    .join('');
}

/** The same in eight lines, with the figures at its left: the greatest above, 0 below. */
export function curveOf(values: readonly number[], width = 60, height = 8): readonly string[] {
  if (values.length === 0) return [];
  const most = Math.max(...values);
  const columns = sampled(values, width).map((value) => (value / most) * height);
  return Array.from({ length: height }, (_, row) => {
    const floor = height - 1 - row;
    const cells = columns.map((filled) => {
      const part = Math.floor(Math.min(1, Math.max(0, filled - floor)) * 8);
      return part === 0 ? ' ' : (blocks[part - 1] ?? '');
    });
    const label = row === 0 ? most.toFixed(2) : row === height - 1 ? '0' : '';
    return `${label.padStart(6)} ${cells.join('').trimEnd()}`;
  });
}

/** At most so many of them, evenly spread, the last one among them. */
function sampled(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values;
  const step = (values.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => values[Math.round(index * step)] ?? 0);
}
