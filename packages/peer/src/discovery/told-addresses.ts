/**
 * The addresses a stranger is told: those the outer world can dial, where there are any; else those of the local network, else this
 * machine's own. So nobody outside learns how the house is laid out.
 */
export function toldAddresses(addresses: readonly string[]): readonly string[] {
  for (const place of ['outside', 'house', 'machine'] as const) {
    const there = addresses.filter((address) => placeOf(address) === place);
    if (there.length > 0) return there;
  }
  return [];
}

/** Of a circuit the relay's place counts. */
function placeOf(address: string): 'outside' | 'house' | 'machine' {
  const [, kind, host = ''] = /^\/(ip4|ip6|dns[46]?)\/([^/]+)/u.exec(address) ?? [];
  if (kind === undefined) return 'machine';
  if (kind === 'ip4' ? host.startsWith('127.') : host === '::1' || host === 'localhost') return 'machine';
  if (kind === 'ip4')
    return /^(?:10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./u.test(host)
      ? 'house'
      : 'outside';
  if (kind === 'ip6') return /^f[cd]|^fe[89ab]/iu.test(host) ? 'house' : 'outside';
  return host.endsWith('.local') ? 'house' : 'outside';
}
