import { nodeCrypto } from '@peerai/core-protocol/crypto-node';

import { localSgd } from '../outer.ts';
import type { RunSpec } from '../run-spec.ts';

/** A small run of two or more that average. */
export const smallRun: RunSpec = {
  name: 'some that pull',
  task: nodeCrypto.sha256(new Uint8Array()),
  size: 8,
  rounds: 6,
  localSteps: 5,
  bits: 8,
  outer: localSgd,
  rule: 'trimmed-mean',
  liars: 0,
  membersMin: 2,
  roundMs: 20_000,
};
