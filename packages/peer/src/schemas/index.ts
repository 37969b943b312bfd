/** Every schema of the local API, for the server that checks bodies by them and publishes them. */
export * from '../chat/chat.schema.ts';
export * from '../control/config.schema.ts';
export * from '../control/keys.schema.ts';
export * from '../control/session.schema.ts';
export * from '../control/problem.ts';
export * from '../doctor/doctor.schema.ts';
export * from '../groups/groups.schema.ts';
export * from '../keys/keys.schema.ts';
export * from '../ledger/ledger.schema.ts';
export * from '../messages/messages.schema.ts';
export * from '../models/models.schema.ts';
export * from '../node/node.schema.ts';
export * from '../pairing/pairing.schema.ts';
export * from '../share/share.schema.ts';
export * from '../status/status.schema.ts';
export * from '../tasks/tasks.schema.ts';
export * from '../topics/topics.schema.ts';
