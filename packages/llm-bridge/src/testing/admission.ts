import { type Admission, type Claim, PeerAiError, type Usage, utf8 } from '@peerai/core-protocol';

export interface Booked {
  readonly claim: Claim;
  readonly usage: Usage;
  readonly workHash: Uint8Array;
}
/** An Admission in memory that remembers everything, for tests. Its half receipt is the request id, the full one `signed:<request id>`. */
export interface RecordingAdmission extends Admission {
  readonly claims: readonly Claim[];
  readonly booked: readonly Booked[];
  readonly countersigned: readonly string[];
  /** Reservations neither settled nor released. */
  readonly open: number;
  revoke(error: PeerAiError): void;
}

/** @param rule - throws what `reserve` shall throw, or returns the units; absent: everything is granted. */
export function recordingAdmission(rule: (claim: Claim) => number = ({ units }) => units): RecordingAdmission {
  const claims: Claim[] = [];
  const booked: Booked[] = [];
  const countersigned: string[] = [];
  const open = new Map<string, AbortController>();
  return {
    claims,
    booked,
    countersigned,
    get open() {
      return open.size;
    },
    revoke(error) {
      for (const controller of open.values()) controller.abort(error);
    },
    async reserve(claim) {
      const units = rule(claim);
      claims.push(claim);
      const key = `${claim.peer}/${claim.requestId}`;
      const revoking = open.get(key) ?? new AbortController();
      open.set(key, revoking);
      return {
        units,
        revoked: revoking.signal,
        async settle(usage, workHash) {
          open.delete(key);
          booked.push({ claim, usage, workHash });
          return utf8(claim.requestId);
        },
        async countersigned(receipt) {
          // Zeros may follow, so that a test can make one of any size.
          const text = new TextDecoder().decode(receipt).replace(/\0+$/, '');
          if (text !== `signed:${claim.requestId}`) throw new PeerAiError('INVALID_SIGNATURE', 'not the receipt');
          countersigned.push(claim.requestId);
        },
        async release() {
          open.delete(key);
        },
      };
    },
  };
}

/** The consumer's side of it. */
export async function signReceipt(half: Uint8Array): Promise<Uint8Array> {
  return utf8(`signed:${new TextDecoder().decode(half)}`);
}
