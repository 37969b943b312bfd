/** Every bound of meeting in a shared folder, with its unit and its reason. Not beside the others, because no page has folders and each name is bytes there. */
export const limits = {
  /** Offers, answers and signs of life older or newer than this by their writer's clock are nobody's, milliseconds; as `signaling.json` always had it. */
  signalFreshMs: 30_000,
  /** A waiting offer, and a sign of life, are written anew this often, milliseconds: three times before they are stale. */
  signalRenewMs: 10_000,
  /** A file that has not changed for this long is removed, whoever wrote it, milliseconds: twice what anybody waits for one. */
  signalSweepMs: 60_000,
  /** How often the folder is looked at, milliseconds, and how often while something is under way. */
  signalPollMs: 200,
  signalPollBusyMs: 50,
  /** One offer or answer, bytes: a description takes 1 KiB, each candidate 100 bytes. */
  signalFileBytesMax: 16_384,
  /** `signaling.json` whole, bytes: two entries for each of eight peers. */
  signalViewBytesMax: 262_144,
  /** Files of the folder that one look takes in; what is beyond them waits until the swept ones are gone. */
  signalFilesMax: 1_024,
  /** Candidates of one description that are used: addresses of one machine. */
  signalCandidatesMax: 32,
  /** Offers answered at the same time; the others wait in the folder. */
  signalAnswersMax: 8,
  /** From an answer to an open data channel, milliseconds: 0.1 on a good machine; then the offerer tries anew. */
  signalConnectMs: 5_000,
  /** How long an answered offer may take to become a link, milliseconds: the offerer looks every signalPollBusyMs, over a slow folder later. */
  signalAnswerMs: 15_000,
  /** A lock on `signaling.json` that is older was left by a process that ended, milliseconds: it is held for one write. */
  signalLockStaleMs: 5_000,
  /** How often half a `signaling.json` is looked at again before it is written anew, and the pause between, milliseconds. */
  signalHalfFileLooksMax: 10,
  signalHalfFileMs: 100,
} as const;
