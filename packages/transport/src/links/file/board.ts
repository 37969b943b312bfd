import type { SignalAnswer, SignalOffer } from './note.ts';

/** Where two who share a folder leave word for each other. Nothing read there is trusted: Noise proves who it is afterwards. */
export interface SignalBoard {
  /** Throws where the folder cannot be made. */
  prepare(): Promise<void>;
  /** Puts it up, or writes it anew. Throws what the file system says. */
  putOffer(offer: SignalOffer): Promise<void>;
  /** Fresh offers to this peer. */
  offersTo(self: string): Promise<readonly SignalOffer[]>;
  putAnswer(answer: SignalAnswer): Promise<void>;
  /** Fresh answer to an offer. */
  answerTo(offer: SignalOffer): Promise<SignalAnswer | undefined>;
  /** False once the offerer has taken it. */
  isUp(answer: SignalAnswer): Promise<boolean>;
  /** Never throw. */
  removeOffer(offer: SignalOffer): Promise<void>;
  removeAnswer(answer: SignalAnswer): Promise<void>;
  /** Says that this peer looks here, or no longer. */
  appear(self: string): Promise<void>;
  leave(self: string): Promise<void>;
  /** Somebody who looks here said so lately. */
  isHere(peer: string): Promise<boolean>;
}
