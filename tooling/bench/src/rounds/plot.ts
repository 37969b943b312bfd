/** One curve: steps against loss. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const [width, height] = [760, 420];
const margin = { left: 56, right: 16, top: 16, bottom: 44 };
/** Told apart without red against green, and on white as on dark grey. */
const colours = ['#0072b2', '#56b4e9', '#d55e00', '#cc79a7'];

/** A picture of the curves as SVG text: no script, no style sheet, one family of letters. */
export function plotOf(lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  // Lines of the grid in a nat: two, or ten where all lies within one.
  const fine = Math.max(...ys) - Math.min(...ys) > 1 ? 2 : 10;
  const [low, high] = [Math.floor(Math.min(...ys) * fine) / fine, Math.ceil(Math.max(...ys) * fine) / fine];
  const across = (x: number): number =>
    margin.left + ((x - left) / (right - left)) * (width - margin.left - margin.right);
  const down = (y: number): number => margin.top + ((high - y) / (high - low)) * (height - margin.top - margin.bottom);
  const steps = Array.from({ length: Math.round((high - low) * fine) + 1 }, (_, index) => low + index / fine);
  const grid = steps.map(
    (y) =>
      `<path d="M${margin.left} ${down(y).toFixed(1)}H${width - margin.right}" stroke="#8884"/>${label(margin.left - 6, down(y) + 4, y.toFixed(1), 'end')}`,
  );
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = left + part * (right - left);
    return label(across(x), height - margin.bottom + 18, x.toFixed(0), 'middle');
  });
  const drawn = lines.map(({ points: own, name }, index) => {
    const colour = colours[index % colours.length];
    const path = own.map(
      ({ x, y }, place) => `${place === 0 ? 'M' : 'L'}${across(x).toFixed(1)} ${down(y).toFixed(1)}`,
    );
    const key = margin.top + 14 + index * 20;
    return [
      `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      `<path d="M${width - 330} ${key - 4}h24" stroke="${colour}" stroke-width="3"/>`,
      label(width - 300, key, name, 'start'),
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#777" role="img" aria-label="Held-out loss by steps">`,
    ...grid,
    ...marks,
    ...drawn,
    label((margin.left + width) / 2, height - 8, 'steps of each member', 'middle'),
    `<text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">held-out loss, nats a byte</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${safe}</text>`;
}
