/** Codes thrown by the use cases, besides those of the packages below. */
export type PeerErrorCode =
  | 'INVITE_INVALID'
  | 'INVITE_EXPIRED'
  | 'INVITE_USED'
  | 'PAIRING_REJECTED'
  | 'PAIRING_GONE'
  | 'TOO_MANY_PAIRINGS'
  | 'TOO_MANY_DEVICES'
  | 'DEVICE_UNKNOWN'
  | 'KEY_CONFLICT'
  | 'SELF_PAIRING'
  | 'MODEL_UNKNOWN'
  | 'MODEL_AMBIGUOUS'
  | 'SHARE_UNKNOWN'
  | 'SHARE_INVALID'
  | 'NO_MODELS'
  | 'TASK_UNKNOWN'
  | 'TASK_OVER';
