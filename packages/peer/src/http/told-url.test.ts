import { httpLimits } from '@peerai/messaging/http';
import { expect, test } from 'vitest';
import { toldUrl } from './told-url.ts';

test('an address that a peer told is plain http or https and not too long', () => {
  const longest = `https://peer.example/${'x'.repeat(httpLimits.urlCharsMax - 21)}`;
  expect([toldUrl('http://192.0.2.1:8016'), toldUrl(longest)]).toEqual(['http://192.0.2.1:8016/', longest]);
  const wrong = [
    undefined,
    `${longest}x`,
    'ftp://x',
    'file:///etc',
    'javascript:1',
    'http://a/?q=',
    'http://a/#h',
    'http://u:p@a/',
    'x',
  ];
  expect(wrong.map((text) => toldUrl(text))).toEqual(wrong.map(() => undefined));
});
