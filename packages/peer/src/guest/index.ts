/**
 * A guest with a share link: small enough for a page, no schema library, no Node.
 *
 * @packageDocumentation
 */
export { createGuest } from './create-guest.ts';
export type { Guest, GuestWorld, ShareState } from './guest.ts';
export type { ChatEvent, ServedBy } from '../chat/chat.schema.ts';
export type { ReceiptView } from '../ledger/ledger.schema.ts';
