/**
 * Live links between peers over libp2p, behind the ports Network, Topics and Directory. This entry runs in a browser;
 * `@peerai/transport/node` adds TCP, mDNS and the relay.
 *
 * @packageDocumentation
 */
export { directoryProtocol } from './discovery/directory.ts';
export type { TransportErrorCode } from './errors.ts';
export { type BrowserOptions, createBrowserNode } from './libp2p/browser.ts';
export type { RelayRefusals, TransportDeps, TransportNode, TransportStats } from './libp2p/options.ts';
export { limits } from './limits.ts';
export type { Attempt } from './network/dialer.ts';
