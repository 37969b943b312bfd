import { pcpError } from './errors.ts';
import type { PcpProfile } from './profile.ts';

/** Versions that a handshake may agree on, lowest first. 1.1 is 1.0 with the handshake of six steps. pcp/0.1 has no handshake. */
export const pcpVersions = ['0.3', '1.0', '1.1', 'peerai/1'] as const;
export type PcpVersion = (typeof pcpVersions)[number];

/** The profile that messages of an agreed version are written in. */
export const profileOfVersion = (version: PcpVersion): PcpProfile =>
  version === 'peerai/1' ? 'peerai/1' : 'pcp/1.0-six';

/**
 * The highest version that both sides speak; what nobody knows is passed over. The offer must be signed, or somebody on the way lowers it.
 * Throws INVALID_VERSION with `details.supported`, highest first.
 *
 * @param profiles - those that are switched on here
 */
export function negotiateVersion(offered: readonly string[], profiles: readonly PcpProfile[]): PcpVersion {
  const supported = pcpVersions.filter((version) => profiles.includes(profileOfVersion(version))).toReversed();
  const agreed = supported.find((version) => offered.includes(version));
  if (agreed !== undefined) return agreed;
  const shown = offered.slice(0, 4).map((version) => version.slice(0, 40));
  throw pcpError('INVALID_VERSION', `Unsupported version: ${shown.join(', ')}`, { supported });
}
