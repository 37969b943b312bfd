/** One request as it came: the body's bytes, read by nobody yet. */
export interface FaceRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** The Host header. */
  readonly host: string | undefined;
  readonly body: Uint8Array;
}
export interface FaceResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One POST to another peer. Throws PEER_UNREACHABLE (`details.reason`), TIMEOUT, LIMIT_EXCEEDED (the answer is too long), ABORTED. */
export type HttpPost = (request: {
  readonly url: string;
  readonly body: Uint8Array;
  /** The body's media type; JSON unless said. */
  readonly type?: string;
  readonly signal: AbortSignal;
}) => Promise<{ readonly status: number; readonly body: Uint8Array }>;
