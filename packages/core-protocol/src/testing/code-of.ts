import { PeerAiError } from '../errors.ts';

/** The code with which work is refused, `taken` where it is not, and in words what is no error of ours. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    return PeerAiError.is(error) ? error.code : String(error);
  }
}
