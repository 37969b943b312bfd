import type { CryptoProvider } from '@peerai/core-protocol';
import type { Signed, VerifyAside } from './check.ts';

/** Signature checks that are begun at once and looked at later. */
export interface ChecksAside {
  /** Takes every signature for good until its check is over: only for work that asks `allHold` in the end and believes nothing before. */
  readonly crypto: CryptoProvider;
  /** What to wait for while too many are under way. */
  hasRoom(): Promise<void> | undefined;
  /** Waits for all of them. */
  allHold(): Promise<boolean>;
}

export interface AsideLimits {
  /** Signatures handed over at once. */
  readonly together: number;
  /** Signatures handed over and not yet checked, above which `hasRoom` says to wait; it waits until half of them are over. */
  readonly underWayMax: number;
}

export function checksAside(
  crypto: CryptoProvider,
  verifyAside: VerifyAside,
  { together, underWayMax }: AsideLimits,
): ChecksAside {
  let underWay = 0;
  let isGood = true;
  let gathered: Signed[] = [];
  let waiting: { readonly until: number; readonly wake: () => void } | undefined;
  const handOver = (): void => {
    const batch = gathered;
    gathered = [];
    underWay += batch.length;
    void verifyAside(batch).then(
      (hold) => over(batch.length, hold),
      () => over(batch.length, false),
    );
  };
  const over = (count: number, hold: boolean): void => {
    underWay -= count;
    isGood &&= hold;
    if (waiting !== undefined && underWay <= waiting.until) waiting.wake();
  };
  const below = (until: number): Promise<void> =>
    new Promise((resolve) => {
      waiting = {
        until,
        wake() {
          waiting = undefined;
          resolve();
        },
      };
    });
  return {
    crypto: {
      ...crypto,
      ed25519: {
        ...crypto.ed25519,
        verify(signature, message, publicKey) {
          gathered.push({ signature, message, publicKey });
          if (gathered.length >= together) handOver();
          return true;
        },
      },
    },
    hasRoom: () => (underWay < underWayMax ? undefined : below(underWayMax >> 1)),
    async allHold() {
      if (gathered.length > 0) handOver();
      if (underWay > 0) await below(0);
      return isGood;
    },
  };
}
