import { PeerAiError } from '@peerai/core-protocol';
import { z } from 'zod';
import { signalLimits as limits } from './limits.ts';

const small = z
  .record(z.string(), z.unknown())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= limits.detailBytesMax, {
    message: `at most ${limits.detailBytesMax} bytes of JSON`,
  });
const words = z.array(z.string().min(1).max(limits.wordLengthMax)).max(limits.wordsMax);
const deviceId = z.string().regex(/^[\w.:-]{1,128}$/);
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`, 'i'));

const sdp = z.string().startsWith('v=0');
const candidate = z
  .object({
    candidate: z.string().max(1_024),
    sdpMid: z.string().max(64).nullish(),
    sdpMLineIndex: z.number().int().min(0).max(64).nullish(),
    usernameFragment: z.string().max(256).nullish(),
  })
  .strict();
/** What WebRTC needs to say before it has a channel, and nothing else: so data cannot go this way. */
const signalingData = z.union([
  z.object({ type: z.enum(['offer', 'answer', 'pranswer']), sdp }).strict(),
  z.object({ type: z.literal('rollback') }).strict(),
  z.object({ type: z.enum(['candidate', 'ice-candidate', 'ice_candidate']), candidate: candidate.nullable() }).strict(),
]);

const incoming = {
  register: z.object({
    device_id: deviceId,
    peer_info: small.default({}),
    public_key: hex(32),
    signature: hex(64),
  }),
  discover: z.object({
    filters: z.object({ required_capabilities: words.default([]), specializations: words.default([]) }).prefault({}),
  }),
  signal: z.object({ target_device_id: deviceId, from_device_id: deviceId.optional(), signaling_data: signalingData }),
  announce_capability: z.object({
    capabilities: words.default([]),
    specializations: words.default([]),
    resources: small.default({}),
  }),
  heartbeat: z.object({
    node_status: z.union([small, z.string().max(limits.wordLengthMax)]).optional(),
    available_resources: small.optional(),
    capabilities: words.optional(),
    cluster_specializations: words.optional(),
  }),
} as const;
type Type = keyof typeof incoming;
export type Incoming = {
  readonly [Name in Type]: { readonly type: Name; readonly data: z.output<(typeof incoming)[Name]> };
}[Type];
export type Discovery = z.output<(typeof incoming)['discover']>['filters'];
export type Heartbeat = z.output<(typeof incoming)['heartbeat']>;

/** Throws INVALID_FORMAT with the place, UNKNOWN_KIND. */
export function readIncoming(text: string): Incoming {
  const message = parse(text);
  const { type } = message;
  if (typeof type !== 'string' || !Object.hasOwn(incoming, type)) {
    throw new PeerAiError(
      'UNKNOWN_KIND',
      'only discovery and WebRTC signalling go this way; data goes over the channel between the two',
    );
  }
  const read = incoming[type as Type].safeParse(message.data ?? {});
  if (read.success) return { type, data: read.data } as Incoming;
  const [issue] = read.error.issues;
  throw new PeerAiError(
    'INVALID_FORMAT',
    `${type}: ${[...(issue?.path ?? []), issue?.message].join(' ')}`.slice(0, 256),
  );
}

function parse(text: string): { readonly type?: unknown; readonly data?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new PeerAiError('INVALID_FORMAT', 'a message is a JSON object {type, data}');
}
