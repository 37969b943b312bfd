/** Public addresses: routers and libp2p treat the ranges for documentation as private. */
const net = '11.22.33';

/** Who is where on the public network. */
export const natPlaces = {
  relays: [`${net}.11`, `${net}.12`],
  stun: [`${net}.21`, `${net}.22`],
  turn: `${net}.23`,
  routers: { a: `${net}.101`, b: `${net}.102` },
} as const;

/** Of STUN and TURN. */
export const natPort = 3_478;

export const turnUser = { username: 'both', credential: 'a-secret-word' } as const;
