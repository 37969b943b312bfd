/**
 * The same primitives from Node's OpenSSL, synchronous: 10 to 30 times faster than the reference.
 *
 * @packageDocumentation
 */
export { nodeCrypto } from './node.ts';
