/** A STUN server by name or address: it says where our packets come from. */
export interface StunServer {
  readonly host: string;
  readonly port: number;
}

/** A TURN server, over UDP: it carries what finds no direct way, and sees only ciphertext. */
export interface TurnServer extends StunServer {
  readonly username: string;
  readonly credential: string;
}

/** The servers of others that WebRTC may use; none unless the owner names some. */
export interface IceServers {
  readonly stun: readonly StunServer[];
  readonly turn: readonly TurnServer[];
}

/** As the native layer takes them. */
export type NativeIceServer = { hostname: string; port: number } & Partial<{
  username: string;
  password: string;
  relayType: 'TurnUdp';
}>;

export function nativeIceServers({ stun, turn }: IceServers): NativeIceServer[] {
  return [
    ...stun.map(({ host, port }) => ({ hostname: host, port })),
    ...turn.map(({ host, port, username, credential }) => ({
      hostname: host,
      port,
      username,
      password: credential,
      relayType: 'TurnUdp' as const,
    })),
  ];
}

/** As people write it. */
export const serverText = ({ host, port }: StunServer): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
