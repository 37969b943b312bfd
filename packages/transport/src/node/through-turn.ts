import type { Connection } from '@libp2p/interface';

interface Candidate {
  readonly candidate: string;
}
/** What is read of a WebRTC connection, as browsers and node-datachannel give it. */
interface Ice {
  readonly sctp?: {
    readonly transport?: {
      readonly iceTransport?: {
        getSelectedCandidatePair?(): { readonly local?: Candidate; readonly remote?: Candidate } | null;
      };
    };
  } | null;
}

/** Whether a link's bytes go through a TURN server of either side; `undefined` for links that know no such thing, and where a browser does not tell. */
export function isThroughTurn(connection: Connection): boolean | undefined {
  // @libp2p/webrtc's connection has it below itself, and shows it nowhere.
  const { maConn } = connection as { readonly maConn?: { readonly peerConnection?: Ice } };
  try {
    const pair = maConn?.peerConnection?.sctp?.transport?.iceTransport?.getSelectedCandidatePair?.();
    if (pair === undefined || pair === null) return undefined;
    return [pair.local, pair.remote].some((one) => /\btyp relay\b/u.test(one?.candidate ?? ''));
  } catch {
    // A native connection that has just closed.
    return undefined;
  }
}
