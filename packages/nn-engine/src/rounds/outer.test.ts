import { describe, expect, it } from 'vitest';

import { diLoCo, localSgd, outerStep, type SharedState } from './outer.ts';

const state: SharedState = { round: 3, weights: Float32Array.of(1, -2), momentum: Float32Array.of(0.5, 0) };

describe('the step between two rounds', () => {
  it('is Nesterov momentum on the average change', () => {
    const next = outerStep(state, Float32Array.of(0.1, -0.2), diLoCo);
    expect(next.round).toBe(4);
    // 0.9·0.5 + 0.1 = 0.55; 1 − 0.7·(0.1 + 0.9·0.55) = 0.5835. 0.9·0 − 0.2 = −0.2; −2 − 0.7·(−0.2 − 0.18) = −1.734.
    expect([...next.momentum].map((value) => value.toFixed(5))).toEqual(['0.55000', '-0.20000']);
    expect([...next.weights].map((value) => value.toFixed(5))).toEqual(['0.58350', '-1.73400']);
  });

  it('without momentum and with rate 1 the weights become the average of the peers’ weights', () => {
    const fresh = { ...state, momentum: new Float32Array(2) };
    const next = outerStep(fresh, Float32Array.of(0.25, -0.5), localSgd);
    expect([...next.weights]).toEqual([0.75, -1.5]);
  });

  it('leaves the state it was given as it was', () => {
    const before = structuredClone(state);
    outerStep(state, Float32Array.of(1, 1), diLoCo);
    expect(state).toEqual(before);
  });

  it('refuses a change of another length', () => {
    expect(() => outerStep(state, Float32Array.of(1), diLoCo)).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});
