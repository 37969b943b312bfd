import { PeerAiError } from '@peerai/core-protocol';

/** What the command line and the docs know an error by. */
export const codeOf = (error: unknown): string => (PeerAiError.is(error) ? error.code : 'INTERNAL');
