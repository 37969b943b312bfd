import { describe, expect, it } from 'vitest';
import { encode } from 'uqr';
import { qrPicture } from './qr.ts';
import { sparkline } from './sparkline.ts';

/** Paints the path's unit runs back into rows of modules. */
function paint(path: string, size: number): boolean[][] {
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => false));
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let i = 0; i < Number(width); i += 1) (rows[Number(y)] as boolean[])[Number(x) + i] = true;
  }
  return rows;
}

describe('Pictures', () => {
  it('draw exactly the modules of a QR code', () => {
    const link = `https://relay.example/s#${'v1abcdefgh'.repeat(40)}`;
    const { size, path } = qrPicture(link);
    expect(paint(path, size)).toEqual(encode(link, { ecc: 'L', border: 4 }).data);
  });

  it('draw a line from the left to the right edge, the largest value on top', () => {
    expect(sparkline([0, 10, 5], 100, 36)).toEqual({
      line: 'M0.0 35.0L50.0 2.0L100.0 18.5',
      area: 'M0.0 35.0L50.0 2.0L100.0 18.5V36H0z',
    });
    expect(sparkline([7], 100, 36)).toEqual({ line: 'M0 35H100', area: '' });
    expect(sparkline([0, 0], 100, 36).line).toBe('M0.0 35.0L100.0 35.0');
  });
});
