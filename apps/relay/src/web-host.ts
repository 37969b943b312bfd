import { isIPv6 } from 'node:net';
import type { networkInterfaces, NetworkInterfaceInfo } from 'node:os';

/**
 * The host of the relay's own web address. One that listens everywhere is called by the machine's first address that is not internal,
 * so that a printed link opens on other machines too; without one, loopback.
 */
export function webHost(bind: string, interfaces: ReturnType<typeof networkInterfaces>): string {
  const host = bind === '0.0.0.0' || bind === '::' ? outsideAddress(bind, interfaces) : bind;
  return isIPv6(host) ? `[${host}]` : host;
}

function outsideAddress(bind: '0.0.0.0' | '::', interfaces: ReturnType<typeof networkInterfaces>): string {
  const outside = Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .filter(({ internal }) => !internal);
  // `::` takes IPv4 as well, which is shorter to type. Link-local addresses need the name of an interface, which a URL has no place for.
  const isUsable = ({ family, address }: NetworkInterfaceInfo): boolean =>
    family === 'IPv6' && bind === '::' && !/^fe[89ab]/i.test(address);
  const found = outside.find(({ family }) => family === 'IPv4') ?? outside.find(isUsable);
  return found?.address ?? (bind === '::' ? '::1' : '127.0.0.1');
}
