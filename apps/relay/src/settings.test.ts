import { PeerAiError } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { readSettings } from './settings.ts';

describe('relay settings', () => {
  test('a flag wins over the environment, which wins over the default', () => {
    const env = { PEERAI_RELAY_PORT: '5000', PEERAI_RELAY_NAME: 'from-env' };
    expect(readSettings(['--port', '6000'], env)).toMatchObject({
      port: 6000,
      name: 'from-env',
      tcpPort: 4101,
      bind: '0.0.0.0',
    });
  });

  test.each([
    [['--port', '65536']],
    [['--port', 'x']],
    [['--tcp-port', '-1']],
    [['--public-url', 'relay.example']],
    [['--nope']],
    [['--circuits', 'many']],
    [['--connections', '100001']],
    [['--circuit-bytes', 'much']],
    [['--mailbox-bytes', 'much']],
  ])('%j is refused with CONFIG_INVALID', (args) => {
    expect(() => readSettings(args, {})).toThrow(
      expect.toSatisfy((error: unknown) => PeerAiError.is(error, 'CONFIG_INVALID')) as Error,
    );
  });

  test('limits are those of the flags and of the environment, and no others', () => {
    expect(readSettings([], {})).toMatchObject({ limits: {} });
    expect(
      readSettings(['--circuits', '3', '--circuit-bytes', '5MB'], {
        PEERAI_RELAY_RESERVATIONS: '7',
        PEERAI_RELAY_CONNECTIONS: '9',
      }),
    ).toHaveProperty('limits', {
      reservationsMax: 7,
      circuitsPerPeerMax: 3,
      circuitBytesMax: 5_000_000,
      connectionsMax: 9,
    });
  });

  test('letters are kept up to the size that is given, and none for 0', () => {
    expect(readSettings([], {})).toMatchObject({ mailboxBytes: undefined });
    expect(readSettings(['--mailbox-bytes', '5MB'], {})).toMatchObject({ mailboxBytes: 5_000_000 });
    expect(readSettings([], { PEERAI_RELAY_MAILBOX_BYTES: '0' })).toMatchObject({ mailboxBytes: 0 });
  });

  test('the key of a private network is read from a file that a flag or the environment names', () => {
    expect(readSettings([], {})).toMatchObject({ pskFile: undefined });
    expect(readSettings(['--psk-file', 'a.key'], { PEERAI_RELAY_PSK_FILE: 'b.key' })).toMatchObject({
      pskFile: 'a.key',
    });
    expect(readSettings([], { PEERAI_RELAY_PSK_FILE: 'b.key' })).toMatchObject({ pskFile: 'b.key' });
  });

  test('the highest port is taken', () => {
    expect(readSettings(['--port', '65535'], {})).toMatchObject({ port: 65_535 });
  });
});
