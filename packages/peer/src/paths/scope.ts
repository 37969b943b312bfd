import type { AddressScope } from './paths.schema.ts';

/** RFC 1918, RFC 3927 (link-local), RFC 6598 (shared by a provider's customers). */
const lan4 = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/u;
/** RFC 4291 (link-local), RFC 4193 (unique local). */
const lan6 = /^(fe[89ab]|f[cd])/iu;

/** From where a multiaddr can be dialled, as far as its text says. A name is taken for public unless it ends in `.local` or is this machine's. */
export function scopeOf(address: string): AddressScope {
  const [relay = '', behind] = address.split('/p2p-circuit');
  if (behind !== undefined) {
    // Nobody comes further through a relay than to it.
    const scope = scopeOf(relay);
    return scope === 'public' ? 'relayed' : scope;
  }
  const [, kind = '', host = ''] = address.split('/');
  if (kind === 'ip4') return host.startsWith('127.') ? 'machine' : lan4.test(host) ? 'lan' : 'public';
  if (kind === 'ip6') return host === '::1' ? 'machine' : lan6.test(host) ? 'lan' : 'public';
  if (!kind.startsWith('dns')) return 'lan';
  if (host === 'localhost') return 'machine';
  return host.endsWith('.local') ? 'lan' : 'public';
}
