import { clockTime } from '../shared/format.ts';
import type { Invitation } from './session.ts';

export interface Refusal {
  readonly title: string;
  readonly text: string;
  /** Nothing more can be asked with this link. */
  readonly final: boolean;
}

/** Each refusal in its own plain sentence, because the reader should know what to ask for; `undefined` for codes that refuse nothing. */
export function refusalOf(code: string, invitation: Invitation | undefined, nowMs: number): Refusal | undefined {
  const name = invitation?.name ?? 'The other side';
  const models = invitation?.models.join(', ') ?? 'other models';
  switch (code) {
    case 'TICKET_INVALID':
      return {
        title: 'This link does not work',
        text: 'It is damaged or was not copied whole. Ask for it again.',
        final: true,
      };
    case 'TICKET_EXPIRED': {
      const ended = invitation === undefined ? '' : ` at ${clockTime(invitation.expiresMs, nowMs)}`;
      return { title: `This link ended${ended}`, text: `Ask ${name} for a new one.`, final: true };
    }
    case 'TICKET_REVOKED':
      return { title: `${name} ended this link`, text: 'What was said stays in this tab.', final: true };
    case 'BUDGET_SPENT':
      return { title: 'All tokens of this link are used', text: `Ask ${name} for a new one.`, final: true };
    case 'MODEL_NOT_SHARED':
      return { title: 'This link is for other models', text: `It is for ${models} only.`, final: false };
    case 'TOO_MANY_GUESTS':
      return { title: 'This link is full', text: `As many people as ${name} allowed already use it.`, final: true };
    case 'TOO_MANY':
      return {
        title: 'Another answer is running',
        text: 'This link gives a few answers at a time. Try again in a moment.',
        final: false,
      };
    case 'RECEIPT_UNSIGNED':
      return {
        title: 'Your last receipt is not signed yet',
        text: 'Try again: this tab signs it first.',
        final: false,
      };
    case 'PEER_BLOCKED':
      return { title: `${name} has blocked this browser`, text: 'Only its owner can undo that.', final: true };
    case 'STORE_LOCKED':
      return {
        title: 'This link is open in another tab',
        text: 'Use that one, or close it and try again.',
        final: false,
      };
    case 'STORE_BROKEN':
    case 'STORE_FULL':
      return {
        title: 'This browser does not let the page keep its key',
        text: 'A private window or a full disk may be why. Try another window.',
        final: false,
      };
    default:
      return undefined;
  }
}
