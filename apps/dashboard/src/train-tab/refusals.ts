import { clockTime, sentence } from '../shared/format.ts';
import type { Problem } from './controller.ts';
import type { Invitation } from './session.ts';

const final = [
  'TICKET_INVALID',
  'TICKET_EXPIRED',
  'TICKET_REVOKED',
  'TOO_MANY_GUESTS',
  'PEER_BLOCKED',
  'RUN_OVER',
  'UNSUPPORTED',
];

/** Nothing more can be done with this link, here. */
export const isFinal = (code: string): boolean => final.includes(code);

/** Each reason in its own plain sentence, because the reader should know what to do. */
export function reasonOf(
  { code, message }: Problem,
  invitation: Invitation | undefined,
  nowMs: number,
): { readonly title: string; readonly text: string } {
  const name = invitation?.name ?? 'The other side';
  switch (code) {
    case 'TICKET_INVALID':
      return { title: 'This link does not work', text: 'It is damaged or was not copied whole. Ask for it again.' };
    case 'TICKET_EXPIRED': {
      const ended = invitation === undefined ? '' : ` at ${clockTime(invitation.expiresMs, nowMs)}`;
      return { title: `This link ended${ended}`, text: `Ask ${name} for a new one.` };
    }
    case 'TICKET_REVOKED':
      return {
        title: `${name} ended this link`,
        text: 'This tab takes part no more. What it gave until then is in the model.',
      };
    case 'TOO_MANY_GUESTS':
      return { title: 'This link is full', text: `As many browsers as ${name} allowed have come already.` };
    case 'PEER_BLOCKED':
      return { title: `${name} has blocked this browser`, text: 'Only its owner can undo that.' };
    case 'RUN_OVER':
      return { title: 'This run is over', text: 'There is nothing left to take part in.' };
    case 'NOT_LEADING':
      return {
        title: `${name} does not coordinate this run now`,
        text: 'Another device does, which this link does not lead to. Try again in a while.',
      };
    case 'UNSUPPORTED':
      return { title: 'This browser cannot train', text: sentence(message) };
    case 'ENGINE_MISSING':
      return {
        title: 'The engine did not come',
        text: 'This page’s host did not send what computes. Reload the page, or ask for another link.',
      };
    case 'DATA_INVALID':
    case 'DATA_TOO_SMALL':
    case 'DATA_UNKNOWN':
    case 'LIMIT_EXCEEDED':
      return { title: 'This data does not fit', text: sentence(message) };
    case 'STORE_LOCKED':
      return { title: 'This link is open in another tab', text: 'Use that one, or close it and try again.' };
    case 'STORE_BROKEN':
    case 'STORE_FULL':
      return {
        title: 'This browser does not let the page keep its key',
        text: 'A private window or a full disk may be why. Try another window.',
      };
    case 'TIMEOUT':
    case 'PEER_UNREACHABLE':
      return { title: `${name} cannot be reached`, text: 'It may be asleep or offline.' };
    default:
      return { title: 'It did not work', text: sentence(message) };
  }
}
