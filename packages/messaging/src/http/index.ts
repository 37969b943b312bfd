/**
 * The peer protocol's HTTP face, bytes in and bytes out, and letters by HTTP. Runs in a browser too: sockets are given to it.
 *
 * @packageDocumentation
 */
export { type Breaker, createBreaker } from './breaker.ts';
export { createHttpCarrier, type HttpCarrierDeps } from './carrier.ts';
export {
  type Contact,
  type ContactProfile,
  type ContactRight,
  type Contacts,
  type NamedContact,
  openContacts,
} from './contacts.ts';
export { type Counts, createCounts } from './counts.ts';
export type { Discover } from './discovery.ts';
export { type HttpFace, type HttpFaceDeps, type HttpFaceOptions, openHttpFace } from './face.ts';
export { httpLimits } from './limits.ts';
export type { FaceRequest, FaceResponse, HttpPost } from './ports.ts';
export type { KnownPeer, QueueFacts } from './views.ts';
export { sessionAsk } from '../session/ask.ts';
export { createSessionDialer, type Established, type SessionDialer } from '../session/dialer.ts';
export type { SessionFacts, SessionRoomOptions } from '../session/parts.ts';
