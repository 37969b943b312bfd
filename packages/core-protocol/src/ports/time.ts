/** Time; the only source of delay. */
export interface Clock {
  /** Wall time in milliseconds, may jump. */
  nowMs(): number;
  /** Milliseconds since some start, never goes back. */
  elapsedMs(): number;
  /** Throws ABORTED when the signal fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Replaces AbortSignal.timeout: fires TIMEOUT after `ms`, or earlier with the parent's reason. */
  deadline(ms: number, parent?: AbortSignal): AbortSignal;
}
export interface Random {
  bytes(count: number): Uint8Array;
}
