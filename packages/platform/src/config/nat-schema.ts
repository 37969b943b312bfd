import * as z from 'zod';

/** Names and IPv4 addresses: routers of IPv6 do not change addresses. */
const server = /^(stun|turn):([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(\d{1,5}))?(?:\?transport=udp)?$/iu;
/** RFC 8489 and RFC 8656. */
const usualPort = 3_478;
const turnServersMax = 2;

const stunUrl = z
  .string()
  .refine(isServer('stun'), "a STUN server is stun:host or stun:host:port, such as 'stun:stun.example:3478'");
const turnServer = z.strictObject({
  url: z
    .string()
    .refine(
      isServer('turn'),
      "a TURN server is turn:host or turn:host:port, over UDP; turns: and '?transport=tcp' are not spoken",
    ),
  username: z.string().min(1, 'at least 1 character').max(512, 'at most 512 characters'),
  credential: z.string().min(1, 'at least 1 character').max(512, 'at most 512 characters'),
});

/** What may help through routers: servers of others, so there is none by default. */
export const natSection = z
  .strictObject({
    stun_servers: z
      .array(stunUrl)
      .max(8, 'at most 8 entries')
      .default([])
      .describe(
        'STUN servers that say how a router shows this machine, for direct links through two routers: stun:host:port. They learn its address. Two tell which kind of router it is. None by default.',
      ),
    turn_servers: z
      .array(turnServer)
      .max(turnServersMax, `at most ${turnServersMax} entries`)
      .default([])
      .describe(
        'TURN servers that carry WebRTC links (ciphertext) which find no direct way, over UDP: {url: turn:host:port, username, credential}. The credential is never shown. None by default.',
      ),
  })
  .prefault({})
  .describe('Help of servers through routers.');

/** `stun:host:port` or `turn:…` as host and port. The configuration has checked its form. */
export function iceServerPlace(url: string): { readonly host: string; readonly port: number } {
  const [, , host = '', port = String(usualPort)] = server.exec(url) ?? [];
  return { host, port: Number(port) };
}

function isServer(scheme: string): (url: string) => boolean {
  return (url) => {
    const [, kind, , port = String(usualPort)] = server.exec(url) ?? [];
    return (
      kind?.toLowerCase() === scheme &&
      Number(port) >= 1 &&
      Number(port) <= 65_535 &&
      (scheme === 'turn' || !url.includes('?'))
    );
  };
}
