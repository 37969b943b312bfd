import * as z from 'zod';
import { duration } from './with-unit.ts';

const webAddress = z
  .string()
  .max(512, 'at most 512 characters')
  .refine((text) => /^https?:$/u.test(URL.parse(text)?.protocol ?? ''), 'this is no http or https address');
const profiles = ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'] as const;

/** A peer of an older implementation: by its key, or in the form of the first assistants by the secret both have. */
const olderPeer = z
  .strictObject({
    name: z.string().min(1).max(256, 'at most 256 characters'),
    profile: z.enum(['pcp/1.0-six', 'pcp/0.1', 'inbox']).default('pcp/1.0-six'),
    url: webAddress.optional(),
    public_key: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/u, 'a public key is 64 hex digits')
      .optional(),
    allow: z
      .array(z.enum(['tasks']))
      .max(1, 'at most 1 right')
      .default([]),
  })
  .superRefine(({ profile, public_key: key, url, allow }, context) => {
    if (allow.length > 0 && (profile === 'inbox' || url === undefined)) {
      const message = profile === 'inbox' ? 'inbox proves no single peer' : 'results need a url to go to';
      context.addIssue({ code: 'custom', path: ['allow'], message });
    }
    if ((profile === 'inbox') === (key === undefined)) return;
    const message = profile === 'inbox' ? 'inbox takes no public_key' : `${profile} needs the peer's public_key`;
    context.addIssue({ code: 'custom', path: ['public_key'], message });
  });

/** The peer protocol over HTTP. */
export const httpSection = z
  .strictObject({
    bind: z.string().min(1).default('127.0.0.1').describe('Address where other peers reach this one by HTTP.'),
    port: z
      .int('a port is a whole number')
      .min(0, 'a port is 0 to 65535')
      .max(65_535, 'a port is 0 to 65535')
      .default(8016)
      .describe('Port of the peer protocol; 0 takes a free one.'),
    external_url: webAddress
      .optional()
      .describe('Where others reach that port, through a reverse proxy or tunnel; told to paired devices.'),
    peer_url: webAddress
      .optional()
      .describe('Where peers that share the secret and have no address of their own are written to.'),
    trust: z
      .enum(['known', 'open'])
      .default('known')
      .describe('open takes messages of strangers and believes the key an older peer first comes with.'),
    profiles: z
      .array(z.enum(profiles))
      .max(profiles.length)
      .default([...profiles])
      .describe('Versions of the peer protocol that are spoken.'),
    session_life: duration('1h', 'How long a session by HTTP lives before its peers agree on new keys.').refine(
      (ms) => ms >= 1_000 && ms <= 86_400_000,
      'a session lives 1s to 24h',
    ),
    peers: z
      .array(olderPeer)
      .max(256, 'at most 256 peers')
      .superRefine((peers, context) => {
        for (const field of ['name', 'public_key'] as const) {
          const first = new Map<string, number>();
          for (const [place, peer] of peers.entries()) {
            const value = field === 'name' ? peer.name : peer.public_key?.toLowerCase();
            if (value === undefined) continue;
            const before = first.get(value);
            // Only the last of the two would count.
            const message = `${value} stands at http.peers.${before} already`;
            if (before !== undefined) context.addIssue({ code: 'custom', path: [place, field], message });
            else first.set(value, place);
          }
        }
      })
      .default([])
      .describe(
        'Peers of older implementations: {name, profile, url, public_key, allow}; profile inbox uses the shared secret, allow [tasks] lets one hand over tasks.',
      ),
  })
  .prefault({});

/** What the HTTP face adds to `security`. */
export const httpSecurity = {
  shared_secret: z
    .string()
    .min(8, 'at least 8 characters')
    .max(1_024, 'at most 1024 characters')
    .optional()
    .describe('The secret of the first assistants, for POST /inbox. Never shown.'),
  certificate_file: z
    .string()
    .min(1)
    .optional()
    .describe('TLS certificate (PEM) of the peer protocol’s port, which then is HTTPS.'),
  private_key_file: z.string().min(1).optional().describe('The key of that certificate (PEM).'),
};
