import { expect, it } from 'vitest';
import { directories } from './directories.ts';

it('puts everything under one home when there is one', () => {
  const expected = {
    config: '/h',
    data: '/h',
    state: '/h',
    cache: '/h/cache',
    files: {
      config: '/h/peerai.yaml',
      identity: '/h/identity.key',
      settlementKey: '/h/settlement.key',
      store: '/h/peerai.db',
      shelf: '/h/files',
      log: '/h/peerai.log',
    },
  };
  expect(directories({ home: '/h', env: { PEERAI_HOME: '/other' } })).toEqual(expected);
  expect(directories({ env: { PEERAI_HOME: '/h' } })).toEqual(expected);
});

it.runIf(process.platform === 'linux')(
  'follows the XDG base directories, where a relative path counts as unset',
  () => {
    const env = { HOME: '/u', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: 'relative', PEERAI_HOME: '' };
    expect(directories({ env })).toMatchObject({
      config: '/c/peerai',
      data: '/u/.local/share/peerai',
      state: '/u/.local/state/peerai',
      cache: '/u/.cache/peerai',
      files: { config: '/c/peerai/peerai.yaml', identity: '/u/.local/share/peerai/identity.key' },
    });
  },
);
