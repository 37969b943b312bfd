import { describe, expect, it } from 'vitest';
import { negotiateVersion, pcpProfiles, pcpVersions, profileOfVersion } from './index.ts';

describe('Version negotiation', () => {
  it.each([
    [['0.3'], '0.3'],
    [['1.0', '0.3'], '1.0'],
    [['0.3', '1.1', '1.0'], '1.1'],
    [['0.3', 'peerai/1', '2.0'], 'peerai/1'],
    [['9.9', '0.3'], '0.3'],
  ])('of %j agrees on %s', (offered, agreed) => {
    expect(negotiateVersion(offered, pcpProfiles)).toBe(agreed);
  });

  it('agrees only on what is switched on, and names it otherwise', () => {
    expect(negotiateVersion(['peerai/1', '1.0'], ['pcp/1.0-six'])).toBe('1.0');
    const refused = (offered: readonly string[], supported: readonly string[], profiles = pcpProfiles.slice()) =>
      expect(() => negotiateVersion(offered, profiles)).toThrow(
        expect.objectContaining({ code: 'INVALID_VERSION', details: { supported } }),
      );
    refused(['2.0'], ['peerai/1', '1.1', '1.0', '0.3']);
    refused([], ['peerai/1', '1.1', '1.0', '0.3']);
    refused(['1.0'], ['peerai/1'], ['peerai/1']);
    refused(['0.1'], [], ['pcp/0.1']);
  });

  it('knows the profile of each version', () => {
    expect(pcpVersions.map((version) => profileOfVersion(version))).toEqual([
      'pcp/1.0-six',
      'pcp/1.0-six',
      'pcp/1.0-six',
      'peerai/1',
    ]);
  });
});
