import * as z from 'zod';
import { httpSection, httpSecurity } from './http-schema.ts';
import { goesOut, ledgerSection } from './ledger-schema.ts';
import { natSection } from './nat-schema.ts';
import { limits } from '../limits.ts';
import { metricsSection } from './metrics-schema.ts';
import { tasksSection } from './tasks-schema.ts';
import { parseSizeBytes } from './units.ts';
import { duration, withUnit } from './with-unit.ts';

const size = (example: string, description: string) => withUnit(parseSizeBytes, example, description);
const optionalSize = (description: string) =>
  withUnit(parseSizeBytes, '1', description)
    .unwrap()
    .refine((bytes) => bytes >= 1_000, 'at least 1KB')
    .optional()
    .describe(description);
const port = z.int('a port is a whole number').min(0, 'a port is 0 to 65535').max(65_535, 'a port is 0 to 65535');
const count = (most: number) => z.int('this is a whole number').min(1, 'at least 1').max(most, `at most ${most}`);
const list = (most: number) => z.array(z.string().min(1, 'an empty entry')).max(most, `at most ${most} entries`);

const hostPort = z
  .string()
  .refine(isHostPort, "an address is host:port, such as '0.0.0.0:4001' or '[::]:4001', with a port of 0 to 65534");
const webAddress = z.string().refine(isWebAddress, 'this is no http or https address');

const engineTypes = ['auto', 'nano', 'scripted', 'ollama', 'openai-compatible', 'llama-cpp'] as const;
/** What an engine is told besides its type; `auto` looks where engines usually are, the built-in ones need nothing. */
const engineKeys: Readonly<Record<(typeof engineTypes)[number], 'url' | 'path' | undefined>> = {
  auto: undefined,
  nano: undefined,
  scripted: undefined,
  ollama: 'url',
  'openai-compatible': 'url',
  'llama-cpp': 'path',
};
const engine = z
  .union(
    [
      z.enum(engineTypes),
      z.strictObject({
        type: z.enum(engineTypes),
        url: webAddress.optional(),
        path: z.string().min(1).optional(),
      }),
    ],
    { error: `an engine is one of ${engineTypes.join(', ')}, or {type, url, path}` },
  )
  .superRefine((choice, context) => {
    const { type, ...told } = typeof choice === 'string' ? { type: choice } : choice;
    for (const key of ['url', 'path'] as const) {
      if (!(key in told) || engineKeys[type] === key) continue;
      context.addIssue({ code: 'custom', path: [key], message: `${type} takes no ${key}` });
    }
    if (type !== 'llama-cpp' || 'path' in told) return;
    const message = 'llama-cpp needs the path of a GGUF file: {type: llama-cpp, path: …}';
    context.addIssue({ code: 'custom', path: typeof choice === 'string' ? [] : ['path'], message });
  });

const sections = z.strictObject({
  network: z
    .strictObject({
      listen_address: hostPort
        .default('0.0.0.0:4001')
        .describe('Where libp2p listens: TCP and QUIC on this port, WebSocket on the next; port 0 takes free ones.'),
      external_address: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The address others reach this machine at, when it stands behind a router: a multiaddr or host:port.',
        ),
      bootstrap_nodes: list(64).default([]).describe('Multiaddrs of peers to know from the start.'),
      max_connections: count(10_000).default(100).describe('Connections at the same time.'),
      connection_timeout: duration('30s', 'How long a connection attempt may take.'),
      heartbeat: duration('30s', 'How often paired devices that are here are asked how they are.').refine(
        (ms) => ms >= 100 && ms <= 3_600_000,
        'a heartbeat comes every 100ms to 1h',
      ),
      name: z
        .string()
        .min(1)
        .max(64, 'at most 64 characters')
        .optional()
        .describe('What people call this peer; the host name by default.'),
      region: z
        .string()
        .min(1)
        .max(40, 'at most 40 characters')
        .optional()
        .describe(
          'Where this peer is, such as eu-west, for the census of paired devices; nothing is told unless said.',
        ),
      discovery: z
        .strictObject({
          mdns: z.boolean().default(true).describe('Find peers on the same local network.'),
          dht: z
            .boolean()
            .default(false)
            .describe('Find peers anywhere, and be found, through a DHT whose members keep records for each other.'),
          pex: z
            .boolean()
            .default(false)
            .describe('Ask the peers this one is linked to for others, try some of those, and pass on what is known.'),
          tells: z
            .array(z.enum(['addresses', 'models', 'name']))
            .max(3, 'at most 3 entries')
            .default(['addresses', 'models'])
            .describe(
              'What strangers are told of this peer while dht or pex is on; with an empty list it looks for others and is not found.',
            ),
        })
        .prefault({}),
      nat: natSection,
      psk_file: z
        .string()
        .min(1)
        .optional()
        .describe(
          'A file with the key of a private network, 64 hex digits or a swarm.key: then this peer talks to those only, relays included, who have the same.',
        ),
      relays: list(16)
        .default([])
        .describe('Relays to use, as multiaddrs or http addresses; without one this peer is on the LAN only.'),
      transports: z
        .strictObject({
          tcp: z.boolean().default(true).describe('TCP.'),
          websocket: z.boolean().default(true).describe('WebSocket, one port above TCP.'),
          webrtc: z.boolean().default(true).describe('WebRTC, for direct paths to browsers and through routers.'),
          quic: z
            .boolean()
            .default(true)
            .describe('QUIC, over UDP on the port of TCP, where TCP does not get through.'),
          file_signalling: z
            .string()
            .min(1)
            .optional()
            .describe(
              'A folder that others share, where they and this peer meet for a direct link without any server; or a file signaling.json, in the form older programs write.',
            ),
          socks5: hostPort
            .optional()
            .describe(
              'A SOCKS5 proxy that every connection to others goes through. All but TCP is off then, and nothing listens but on loopback.',
            ),
        })
        .prefault({})
        .describe('Ways to connect; at least one.')
        .refine(
          (kinds) => kinds.tcp || kinds.websocket || kinds.webrtc || kinds.quic || kinds.file_signalling !== undefined,
          'at least one transport must be on',
        ),
      post_quantum: z
        .enum(['required', 'preferred', 'off'])
        .default('preferred')
        .describe(
          'Seal what goes over live links with ML-KEM-768 beside X25519: required refuses peers that cannot, preferred those that once could.',
        ),
      path: z.enum(['any', 'direct-only']).default('any').describe('direct-only never sends content through a relay.'),
    })
    .prefault({}),
  security: z
    .strictObject({
      enable_tor: z
        .boolean()
        .default(false)
        .describe(
          'Reach others only through a Tor that runs on this machine, at 127.0.0.1:9050 or where network.transports.socks5 says.',
        ),
      ...httpSecurity,
      allow_origins: list(64).default([]).describe('Web origins that may call the local API.'),
      allow_hosts: list(64).default([]).describe('Host names besides the loopback ones that the local API answers to.'),
    })
    .prefault({}),
  llm: z
    .strictObject({
      engines: z
        .array(engine)
        .min(1, 'name at least one engine')
        .max(16, 'at most 16 engines')
        .default(['auto'])
        .describe(
          'Who answers prompts here; auto looks for running engines and falls back to nano. {type, url} for ollama and openai-compatible, {type, path} for llama-cpp.',
        ),
      default_model: z
        .string()
        .min(1)
        .optional()
        .describe('The model used where this device is asked without naming one.'),
      expose: list(256).default(['*']).describe('Models offered to paired devices; * is all.'),
      max_concurrent: count(64).default(2).describe('Answers made at the same time for other peers.'),
      queue_length: z
        .int()
        .min(0)
        .max(10_000)
        .default(32)
        .describe('Requests of other peers that may wait for a free place.'),
      system_prompt: z
        .string()
        .max(65_536)
        .optional()
        .describe('Put before each conversation that has no system message.'),
    })
    .prefault({}),
  ledger: ledgerSection,
  governance: z
    .strictObject({
      relays: z
        .enum(['follow', 'show'])
        .default('follow')
        .describe(
          'Relays that a group of this agent has voted for: used beside network.relays, at most 8 in all and never behind a proxy, or only shown.',
        ),
      topics: z
        .enum(['join', 'off'])
        .default('join')
        .describe(
          'Beside channels to paired devices, hear and tell the members of a group of this agent over gossip, sealed for whoever has the group’s chain: members that are linked to the same relay or peers need not be paired. Others there see that this agent takes part in something, and when. off: it joins no topic of a group.',
        ),
      log_heads: z
        .enum(['tell', 'off'])
        .default('tell')
        .describe(
          'Tell the groups of this agent the head of its log, a count of entries and a root, as often as each votes, so that its entries can be proven by their chains; whoever has a chain sees how fast the log grows. off: it stays out of them.',
        ),
    })
    .prefault({}),
  market: z
    .strictObject({
      rewards: z
        .enum(['off', 'auto'])
        .default('off')
        .describe(
          'Give what the policy of a group says, in its points, for nodes borrowed and capsules found useful: only when asked, since points are yours to give and leases are paid for in credits already, or by itself, at most 32 rewards and 100 points a day.',
        ),
    })
    .prefault({}),
  reputation: z
    .strictObject({
      admission_min: z
        .number()
        .min(0)
        .max(1)
        .default(0.25)
        .describe(
          'Score below which a peer gets no new lease of nodes, models or storage here. One nothing is known of has 0.3, so that above 0.3 nobody new gets any; 0 asks for none.',
        ),
    })
    .prefault({}),
  memory: z
    .strictObject({
      embedder: z
        .string()
        .min(1)
        .default('auto')
        .describe(
          'Who embeds what is remembered, so that it is found by meaning: `auto`, a model of an engine on this machine (built in, or at a loopback address) that the engine says is for embeddings; the name of such a model; or `lexical` (also `off`), words and spellings alone, which are compared too where no model is there.',
        ),
    })
    .prefault({}),
  cache: z
    .strictObject({
      quota: size(
        '1GB',
        'What models that were fetched from devices may have on the disk; the one used longest ago goes first.',
      ),
      offer: z
        .boolean()
        .default(false)
        .describe(
          'Let every device that may chat fetch model files from here by their SHA-256; your own devices may anyway.',
        ),
    })
    .prefault({}),
  performance: z
    .strictObject({
      bandwidth: optionalSize('Bytes sent to each peer in a second, at most; without it as fast as it goes.'),
    })
    .prefault({}),
  share: z
    .strictObject({
      page_url: webAddress.optional().describe('The page share links point to; the relay’s own by default.'),
      for: duration('2h', 'How long a share link works.'),
      tokens: count(1_000_000_000).default(20_000).describe('Tokens a share link may spend.'),
      guests: count(100).default(3).describe('Guests one link admits.'),
      concurrency: count(16).default(1).describe('Answers at the same time for one link.'),
    })
    .prefault({}),
  tasks: tasksSection,
  metrics: metricsSection,
  api: z
    .strictObject({
      bind: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address of the local API; anything but loopback makes every route need the token.'),
      port: port.default(8006).describe('Port of the local API; 0 takes a free one.'),
      require_token: z.enum(['control', 'all']).default('control').describe('Which routes need the token.'),
    })
    .prefault({}),
  http: httpSection,
  logging: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('The least important events written.'),
      format: z
        .enum(['json', 'text', 'auto'])
        .default('auto')
        .describe('auto is text on a terminal, JSON lines elsewhere.'),
      file: z.string().min(1).optional().describe('Write to this file instead of stderr.'),
      rotate: z
        .strictObject({
          size: size('10MB', 'A log file is put aside at this size.'),
          keep: z.int().min(0).max(limits.logFilesKeptMax).default(5).describe('Old log files kept.'),
        })
        .prefault({}),
    })
    .prefault({}),
});

/** Every key this version understands, with its default; what is written here takes effect somewhere. */
export const configSchema = sections.superRefine(
  ({ network: { transports, nat, path: paths }, security, ledger }, context) => {
    const issue = (path: readonly string[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['network', ...path], message });
    if (paths === 'direct-only' && nat.turn_servers.length > 0)
      issue(['nat', 'turn_servers'], 'a TURN server is a relay; set this, or network.path: direct-only');
    if (transports.socks5 === undefined && !security.enable_tor) return;
    const refuse = (path: readonly string[], what: string): void =>
      issue(path, `${what} goes round the proxy; set this, or network.transports.socks5 and security.enable_tor`);
    if (goesOut(ledger.evm.rpc))
      context.addIssue({
        code: 'custom',
        path: ['ledger', 'evm', 'rpc'],
        message: 'what is asked of a node elsewhere goes round the proxy; name one on this machine',
      });
    if (transports.file_signalling !== undefined) refuse(['transports', 'file_signalling'], 'a link met in a folder');
    if (nat.stun_servers.length > 0) refuse(['nat', 'stun_servers'], 'what is asked of a STUN server');
    if (nat.turn_servers.length > 0) refuse(['nat', 'turn_servers'], 'a link over a TURN server');
  },
);

/** Read-only all the way down; durations are milliseconds, sizes bytes. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
export type EngineChoice = Config['llm']['engines'][number];

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

function isHostPort(text: string): boolean {
  const [, digits] = /^(?:\[[0-9a-f:.]+\]|[^\s:[\]/]+):(\d{1,5})$/iu.exec(text) ?? [];
  return digits !== undefined && Number(digits) < 65_535;
}

function isWebAddress(text: string): boolean {
  return /^https?:$/u.test(URL.parse(text)?.protocol ?? '');
}
