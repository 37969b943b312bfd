/**
 * Nodes for tests: real sockets on 127.0.0.1, a real clock, fresh keys.
 *
 * @packageDocumentation
 */
export { realClock, realRandom, testDeps } from './deps.ts';
export { createDhtNode, type DhtNode } from './dht-node.ts';
export { createTestNodes, relayAddress, type TestNodes, until } from './nodes.ts';
export { createSocksServer } from './socks-server.ts';
export { createStunResponder, type StunResponder } from './stun-responder.ts';
export { createTcpProxy, type TcpProxy } from './tcp-proxy.ts';
