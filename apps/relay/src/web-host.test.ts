import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { webHost } from './web-host.ts';

const one = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '',
  mac: '',
  internal,
  cidr: null,
  ...(address.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const }),
});
const machine = {
  lo: [one('127.0.0.1', true), one('::1', true)],
  eth0: [one('fe80::1'), one('2001:db8::7'), one('192.168.1.20')],
  wlan0: [one('192.168.1.21')],
};

test.each([
  ['0.0.0.0', machine, '192.168.1.20'],
  ['::', machine, '192.168.1.20'],
  ['::', { lo: machine.lo, eth0: [one('fe80::1'), one('2001:db8::7')] }, '[2001:db8::7]'],
  ['0.0.0.0', { lo: machine.lo, eth0: [one('2001:db8::7')] }, '127.0.0.1'],
  ['::', { lo: machine.lo }, '[::1]'],
  ['127.0.0.1', machine, '127.0.0.1'],
  ['192.168.1.21', machine, '192.168.1.21'],
  ['2001:db8::7', machine, '[2001:db8::7]'],
  ['relay.lan', machine, 'relay.lan'],
])('a relay bound to %s is called by an address that other machines can reach, if there is one', (bind, all, host) => {
  expect(webHost(bind, all)).toBe(host);
});
