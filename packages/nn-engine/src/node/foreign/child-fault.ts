import type { ChildErrorCode } from './child-messages.ts';

/** What the child answers instead of a result. The child loads nothing of other packages of ours, so this is no `PeerAiError`. */
export class ChildFault extends Error {
  readonly code: ChildErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ChildErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
