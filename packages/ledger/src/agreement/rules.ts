import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { checkCertificate } from './certificate.ts';
import { quorumOf } from './epoch.ts';
import type { Learned, ViewState } from './state.ts';
import type { Certificate, Epoch } from './types.ts';

/** What safety rests on, each a function of what is known: a simulator breaks them one by one to see that it notices. */
export interface Rules {
  quorumOf(count: number): number;
  isMember(epoch: Epoch, peer: PeerId): boolean;
  /** Whether what another member signed is handed on to those who don't hear that one. */
  mayCarry(learned: Learned): boolean;
  isCertified(
    crypto: Pick<CryptoProvider, 'ed25519'>,
    group: Uint8Array,
    epoch: Epoch,
    quorum: number,
    certificate: Certificate,
  ): boolean;
  /** Who gave a view up does not finalize in it, nor the other way round. */
  maySay(
    said: { readonly nullify: boolean; readonly finalize: boolean },
    next: 'notarize' | 'nullify' | 'finalize',
  ): boolean;
  /**
   * Whether a block may be proposed and notarized in a view: it is the one that was notarized in `parent` (0: a fresh one), and every view between
   * was given up by a quorum. So no view that may have decided something is passed over.
   */
  isJustified(views: ReadonlyMap<number, ViewState>, view: number, parent: number, block: Uint8Array): boolean;
}

export const simplexRules: Rules = {
  quorumOf,
  isMember: ({ members }, peer) => members.includes(peer),
  mayCarry: (learned) => learned === 'new',
  isCertified(crypto, group, epoch, quorum, certificate) {
    try {
      checkCertificate(crypto, group, epoch, quorum, certificate);
      return true;
    } catch (error) {
      if (PeerAiError.is(error)) return false;
      throw error;
    }
  },
  maySay({ nullify, finalize }, next) {
    if (next === 'nullify') return !nullify && !finalize;
    return !nullify;
  },
  isJustified(views, view, parent, block) {
    for (let between = parent + 1; between < view; between += 1)
      if (views.get(between)?.nullified === undefined) return false;
    if (parent === 0) return true;
    const notarized = views.get(parent)?.notarized;
    return notarized !== undefined && equalBytes(notarized.block, block);
  },
};
