import { parseArgs } from 'node:util';
import { PeerAiError } from '@peerai/core-protocol';
import { parseSizeBytes } from '@peerai/platform';
import type { RelayLimits } from '@peerai/transport/node';

/** How a relay is run. Everything can be given as a flag or as an environment variable; flags win. */
export interface RelaySettings {
  /** Address that HTTP, the guest page and the libp2p WebSocket listen on. */
  readonly bind: string;
  readonly port: number;
  /** libp2p over TCP. */
  readonly tcpPort: number;
  /** Folder of the relay's key. */
  readonly home: string | undefined;
  readonly name: string;
  /** Base URL that the outside world sees, when a TLS proxy stands in front: `https://relay.example`. */
  readonly publicUrl: string | undefined;
  /** What it gives away; what is not named has transport's default. */
  readonly limits: Partial<RelayLimits>;
  /** Bytes of sealed letters it keeps for peers that are away; 0: none, and no mailboxes. Messaging's default unless said. */
  readonly mailboxBytes: number | undefined;
  /** File with the key of a private network: then it serves that network alone. */
  readonly pskFile: string | undefined;
  readonly json: boolean;
}

export const relayHelp = `peerai relay: bootstrap, circuit relay, WebRTC signalling and the page a guest opens

  --port N          HTTP, page and WebSocket port   (PEERAI_RELAY_PORT, default 4100)
  --tcp-port N      libp2p TCP port                 (PEERAI_RELAY_TCP_PORT, default 4101)
  --bind ADDR       address to listen on            (PEERAI_RELAY_BIND, default 0.0.0.0)
  --home DIR        folder of the relay's key       (PEERAI_RELAY_HOME)
  --name NAME       shown to peers                  (PEERAI_RELAY_NAME, default "relay")
  --public-url URL  base URL behind a TLS proxy     (PEERAI_RELAY_PUBLIC_URL)
  --reservations N  peers that may wait here at once                (PEERAI_RELAY_RESERVATIONS, default 1024)
  --circuits N      relayed connections of one peer at once         (PEERAI_RELAY_CIRCUITS, default 16)
  --circuit-bytes S bytes of one relayed connection, such as 64MB   (PEERAI_RELAY_CIRCUIT_BYTES)
  --mailbox-bytes S sealed letters kept for peers that are away, such as 1GB; 0: none   (PEERAI_RELAY_MAILBOX_BYTES)
  --connections N   connections to this relay at once               (PEERAI_RELAY_CONNECTIONS, default 4096)
  --psk-file F      key of a private network: it serves those alone who have it   (PEERAI_RELAY_PSK_FILE)
  --json            print one line of JSON when ready
`;

/** Throws CONFIG_INVALID naming the flag. */
export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RelaySettings | 'help' {
  const flags = parse(args);
  if (flags.help === true) return 'help';
  const pick = (flag: string | undefined, name: string): string | undefined => flag ?? env[`PEERAI_RELAY_${name}`];
  const publicUrl = pick(flags['public-url'], 'PUBLIC_URL')?.replace(/\/+$/, '');
  if (publicUrl !== undefined && !URL.canParse(publicUrl))
    throw invalid(`--public-url is "${publicUrl}"; it must be a URL`);
  const limits: { -readonly [Name in keyof RelayLimits]?: RelayLimits[Name] } = {};
  for (const [flag, name, key] of counts) {
    const text = pick(flags[flag], name);
    if (text !== undefined) limits[key] = whole(`--${flag}`, text, 100_000);
  }
  const bytes = pick(flags['circuit-bytes'], 'CIRCUIT_BYTES');
  if (bytes !== undefined) limits.circuitBytesMax = sizeOf('--circuit-bytes', bytes);
  const mailbox = pick(flags['mailbox-bytes'], 'MAILBOX_BYTES');
  return {
    mailboxBytes: mailbox === undefined ? undefined : mailbox === '0' ? 0 : sizeOf('--mailbox-bytes', mailbox),
    bind: pick(flags.bind, 'BIND') ?? '0.0.0.0',
    port: whole('--port', pick(flags.port, 'PORT') ?? '4100', 65_535),
    tcpPort: whole('--tcp-port', pick(flags['tcp-port'], 'TCP_PORT') ?? '4101', 65_535),
    home: pick(flags.home, 'HOME'),
    name: pick(flags.name, 'NAME') ?? 'relay',
    publicUrl,
    limits,
    pskFile: pick(flags['psk-file'], 'PSK_FILE'),
    json: flags.json === true,
  };
}

/** Flag, environment variable, and the limit they set. */
const counts = [
  ['reservations', 'RESERVATIONS', 'reservationsMax'],
  ['circuits', 'CIRCUITS', 'circuitsPerPeerMax'],
  ['connections', 'CONNECTIONS', 'connectionsMax'],
] as const;

function sizeOf(name: string, text: string): number {
  try {
    return parseSizeBytes(text);
  } catch {
    throw invalid(`${name} is "${text}"; it is a size, such as 64MB`);
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: text,
        'tcp-port': text,
        bind: text,
        home: text,
        name: text,
        'public-url': text,
        reservations: text,
        circuits: text,
        'circuit-bytes': text,
        'mailbox-bytes': text,
        connections: text,
        'psk-file': text,
        json: yes,
        help: { ...yes, short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new PeerAiError('CONFIG_INVALID', (cause as Error).message, {}, { cause });
  }
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw invalid(`${name} is "${text}"; it can be 0 to ${max}`);
  return value;
}

function invalid(message: string): PeerAiError {
  return new PeerAiError('CONFIG_INVALID', message);
}
