/**
 * Letters for peers that are away: sealed to the receiver's key, left at a relay, taken in order, once.
 *
 * @packageDocumentation
 */
export { createMailboxKeeper, type KeeperDeps, type MailboxKeeper, type MailboxStats } from './keep.ts';
export { mailboxLimits } from './limits.ts';
export { type Mailbox, type MailboxDeps, openMailbox } from './mailbox.ts';
export { mailboxMethod } from './protocol.ts';
export type { Records } from './records.ts';
