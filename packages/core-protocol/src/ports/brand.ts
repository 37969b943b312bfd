declare const brand: unique symbol;
/** A string that was checked once where it entered. */
export type Brand<T, N extends string> = T & { readonly [brand]: N };
/** libp2p's text form of an Ed25519 key (`12D3KooW…`). */
export type PeerId = Brand<string, 'PeerId'>;
