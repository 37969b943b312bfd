/**
 * Devices that meet at a relay's signalling (`docs/protocol/signalling.md`) and then talk over WebRTC without it, behind the Network port. For a page
 * as it is; `createNativeSignalNode` of `@peerai/transport/node` is the same for Node.
 *
 * @packageDocumentation
 */
export type { SignalDevice } from './message.ts';
export { createSignalNode, type SignalNode, type SignalNodeOptions } from './node.ts';
export type { DeviceFilters, Signalling, SignalNews } from './signalling.ts';
