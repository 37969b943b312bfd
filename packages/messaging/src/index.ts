/**
 * What waits: messages kept on disk until the other peer has them, handled once.
 *
 * @example
 * const messenger = createMessenger({ ...world, identity, store: world.store.room('messages') });
 * messenger.handle('text', async (message) => [room.put(message.id, save(message))]);
 * await messenger.start(signal);
 * const id = await messenger.send({ to: peer, kind: 'text', payload: { text: 'hello' } });
 *
 * @packageDocumentation
 */
export type { MessagingErrorCode } from './errors.ts';
export { fileLimits } from './files/limits.ts';
export { fileMethod } from './files/protocol.ts';
export { limits as messagingLimits } from './limits.ts';
export { createMessenger, type MessengerDeps, type PeerMessenger } from './messenger.ts';
export type { DeliveryReport } from './outbox/outbox.ts';
export type { Carrier, Depot } from './outbox/courier.ts';
export { messageProtocol } from './protocol.ts';
export type { DeliveryPath, DeliveryState } from './rows.ts';
