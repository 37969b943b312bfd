import { describe, expect, it } from 'vitest';
import { fixtureState } from '../../test/fixture-data.ts';
import { groupModels } from './group.ts';

const { models } = fixtureState('http://127.0.0.1:1', 0).models;

describe('Models', () => {
  it('stand under their device: this one first, then the best reachable, then by name', () => {
    const away = models.map((model) => (model.peerName === 'lab-nuc' ? { ...model, path: 'offline' as const } : model));
    expect(groupModels(away).map((group) => [group.peerName, group.models.map((model) => model.model)])).toEqual([
      ['laptop', ['nano']],
      ['study-pc', ['mistral', 'nano']],
      ['lab-nuc', ['mistral']],
    ]);
  });
});
