import { PeerAiError } from '@peerai/core-protocol';
import { orAborted } from './abort.ts';

/** Reads an iterator so that an aborted wait loses nothing: what arrives later is the next reader's. */
export interface PatientReader<T> {
  /** Throws the signal's reason, CHANNEL_CLOSED at the end. */
  next(signal: AbortSignal): Promise<T>;
}

export function createPatientReader<T>(source: AsyncIterator<T>): PatientReader<T> {
  let pending: Promise<IteratorResult<T>> | undefined;
  return {
    async next(signal) {
      pending ??= source.next();
      const { done, value } = await orAborted(pending, signal);
      pending = undefined;
      if (done) throw new PeerAiError('CHANNEL_CLOSED', 'the answer broke off');
      return value;
    },
  };
}
