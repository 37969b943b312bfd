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
