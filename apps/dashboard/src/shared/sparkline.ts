/** A line over equally spaced values in a `width`×`height` box, the newest at the right edge; scaled to the largest value. */
export function sparkline(
  values: readonly number[],
  width: number,
  height: number,
): { readonly line: string; readonly area: string } {
  if (values.length < 2) return { line: `M0 ${height - 1}H${width}`, area: '' };
  const largest = Math.max(...values, 1e-9);
  const step = width / (values.length - 1);
  const points = values.map(
    (value, i) => `${(i * step).toFixed(1)} ${(height - 1 - (value / largest) * (height - 3)).toFixed(1)}`,
  );
  const line = `M${points.join('L')}`;
  return { line, area: `${line}V${height}H0z` };
}
