import { httpLimits } from '@peerai/messaging/http';

/** An address another peer told: plain http or https and nothing a path could be hidden in. Undefined for any other. */
export function toldUrl(text: string | undefined): string | undefined {
  if (text === undefined || text.length > httpLimits.urlCharsMax) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/u.test(url.protocol)) return undefined;
  return url.search === '' && url.hash === '' && url.username === '' && url.password === '' ? url.href : undefined;
}
