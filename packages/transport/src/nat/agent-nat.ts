import type { NatFacts } from '@peerai/core-protocol';
import { limits } from './limits.ts';
import { type IceServers, type NativeIceServer, nativeIceServers, serverText } from './servers.ts';
import { createStunProbe, type StunProbeDeps } from './stun-probe.ts';

/** The STUN and TURN servers of an agent's owner, and what they say. */
export interface AgentNat {
  /** What a new WebRTC connection may use. */
  servers(): readonly NativeIceServer[];
  facts(): NatFacts;
  /** Asks the STUN servers again and again, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function createAgentNat(deps: StunProbeDeps, { stun, turn }: IceServers): AgentNat {
  const probe = createStunProbe(deps, stun);
  const used = turn.slice(0, limits.turnServersMax);
  return {
    servers: () => nativeIceServers({ stun: probe.usable(), turn: used }),
    facts: () => ({ ...probe.facts(), turnServers: used.map(serverText) }),
    run: (signal) => probe.run(signal),
  };
}
