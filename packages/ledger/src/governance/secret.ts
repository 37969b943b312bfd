import {
  concatBytes,
  type CryptoProvider,
  fromHex,
  type Identity,
  type PeerId,
  signedBytes,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import type { Ballot, Said } from './entry.ts';
import { Refused, refuseIf } from './refused.ts';
import type { OpenProposal, SecretVotes } from './state.ts';

/** Checks an RSABSSA-SHA384-PSS-Randomized signature (RFC 9474) of a message that has its random prefix in front. False for a wrong key too. */
export interface BallotVerifier {
  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

interface Facts extends Pick<OpenProposal, 'electors' | 'author' | 'openedMs' | 'closesMs'> {
  readonly secret: SecretVotes;
  readonly nowMs: number;
}

/** When ballots are no longer asked for and begin to be cast: half of the time is over. */
export const castFromMs = ({ openedMs, closesMs }: Pick<OpenProposal, 'openedMs' | 'closesMs'>): number =>
  openedMs + Math.ceil((closesMs - openedMs) / 2);

export function askBallot(facts: Facts, member: PeerId, blinded: Uint8Array): SecretVotes {
  const { secret, electors, nowMs } = facts;
  refuseIf(nowMs >= castFromMs(facts), 'TOO_LATE');
  refuseIf(!electors.includes(member), 'NOT_ELECTOR');
  refuseIf(secret.asked.has(member), 'VOTED');
  return { ...secret, asked: new Map(secret.asked).set(member, { blinded, signature: undefined }) };
}

export function issueBallot(
  { secret, author }: Facts,
  by: PeerId,
  { member, signature }: Extract<Said, { type: 'issue' }>,
): SecretVotes {
  refuseIf(by !== author, 'NOT_MEMBER');
  const question = secret.asked.get(member);
  if (question === undefined) throw new Refused('NOT_ELECTOR');
  refuseIf(question.signature !== undefined, 'VOTED');
  return { ...secret, asked: new Map(secret.asked).set(member, { ...question, signature }) };
}

/**
 * One vote a token, and no more of them than members were given one: an author that signs tokens of its own can take the place of members that asked,
 * who see it, and cannot add to them.
 */
export async function castBallot(
  { ballots, crypto }: { readonly ballots: BallotVerifier; readonly crypto: CryptoProvider },
  facts: Facts,
  ballot: Ballot,
): Promise<SecretVotes> {
  const { secret, nowMs } = facts;
  refuseIf(nowMs < castFromMs(facts), 'TOO_EARLY');
  const id = toHex(crypto.sha256(ballot.token));
  refuseIf(secret.cast.has(id), 'VOTED');
  const issued = [...secret.asked.values()].filter(({ signature }) => signature !== undefined).length;
  refuseIf(secret.cast.size >= issued, 'BALLOT_SURPLUS');
  refuseIf(!crypto.ed25519.verify(ballot.seal, sealedChoice(ballot), ballot.token), 'INVALID_SIGNATURE');
  const isSigned = await ballots.verify(secret.key, concatBytes(ballot.prefix, tokenMessage(ballot)), ballot.signature);
  refuseIf(!isSigned, 'INVALID_SIGNATURE');
  return { ...secret, cast: new Map(secret.cast).set(id, ballot.choice) };
}

/** What the author signs blindly of a ballot, without the prefix; bound to its proposal should a key be used twice. */
export const tokenMessage = ({ on, token }: Pick<Ballot, 'on' | 'token'>): Uint8Array =>
  signedBytes('peerai/governance-ballot/1', concatBytes(fromHex(on), token));

/** What the token signs. */
const sealedChoice = ({ on, choice }: Pick<Ballot, 'on' | 'choice'>): Uint8Array =>
  signedBytes('peerai/governance-choice/1', concatBytes(fromHex(on), utf8(choice)));

/** @param token - a key made for this vote alone. */
export const sealBallot = (
  token: Identity,
  ballot: Pick<Ballot, 'on' | 'choice' | 'prefix' | 'signature'>,
): Ballot => ({ ...ballot, token: token.publicKey, seal: token.sign(sealedChoice(ballot)) });
