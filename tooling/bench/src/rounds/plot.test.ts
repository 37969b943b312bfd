import { describe, expect, it } from 'vitest';
import { plotOf } from './plot.ts';

describe('A plot', () => {
  const lines = [
    {
      name: 'one <trainer>',
      points: [
        { x: 0, y: 4 },
        { x: 100, y: 2 },
      ],
    },
    {
      name: 'rounds',
      points: [
        { x: 0, y: 4 },
        { x: 50, y: 3 },
        { x: 100, y: 2.2 },
      ],
    },
  ];

  it('has one path and one name a line, in a picture that needs nothing else', () => {
    const svg = plotOf(lines);
    expect(svg.match(/stroke-width="1.5"/g)).toHaveLength(2);
    expect(svg).toContain('one &lt;trainer>');
    expect(svg).not.toMatch(/<script|<style|href|NaN|undefined/);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  });

  it('has a finer grid where the losses lie close', () => {
    const close = lines.map(({ name, points }) => ({ name, points: points.map(({ x, y }) => ({ x, y: 1 + y / 10 })) }));
    expect(plotOf(lines).match(/>\d\.\d</g)).toEqual(['2.0', '2.5', '3.0', '3.5', '4.0'].map((text) => `>${text}<`));
    expect(plotOf(close).match(/>\d\.\d</g)).toEqual(['1.2', '1.3', '1.4'].map((text) => `>${text}<`));
  });

  it('puts a lower loss lower, and later steps further right', () => {
    const [, first = ''] = /d="(M[^"]*L[^"]*)" fill="none"/.exec(plotOf(lines)) ?? [];
    const [[x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = first
      .split(/[ML]/)
      .filter((part) => part !== '')
      .map((point) => point.split(' ').map(Number));
    expect(x2).toBeGreaterThan(x1);
    expect(y2).toBeGreaterThan(y1);
  });
});
