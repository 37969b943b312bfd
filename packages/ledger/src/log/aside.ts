import type { CryptoProvider } from '@peerai/core-protocol';
import type { VerifyAside } from './check.ts';

/** Signature checks that are begun at once and looked at later. */
export interface ChecksAside {
  /** Takes every signature for good until its check is over: only for work that asks `allHold` in the end and believes nothing before. */
  readonly crypto: CryptoProvider;
  /** What to wait for while too many are under way. */
  hasRoom(): Promise<void> | undefined;
  /** Waits for all of them. */
  allHold(): Promise<boolean>;
}

/** @param most - checks under way before `hasRoom` says to wait; it waits until half of them are over. */
export function checksAside(crypto: CryptoProvider, verifyAside: VerifyAside, most: number): ChecksAside {
  let underWay = 0;
  let isGood = true;
  let waiting: { readonly until: number; readonly wake: () => void } | undefined;
  const over = (holds: boolean): void => {
    underWay -= 1;
    isGood &&= holds;
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
          underWay += 1;
          void verifyAside(signature, message, publicKey).then(over, () => over(false));
          return true;
        },
      },
    },
    hasRoom: () => (underWay < most ? undefined : below(most >> 1)),
    async allHold() {
      if (underWay > 0) await below(0);
      return isGood;
    },
  };
}
