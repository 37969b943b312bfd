import { joinUrl } from '../http/join-url.ts';
import type { HttpPost } from '../http/ports.ts';
import type { SessionAsk } from './dialer.ts';

/** Media type of an exchange: protobuf, read by nobody in between. */
export const exchangeType = 'application/octet-stream';

/** Posts exchanges to the peer at this base URL. */
export const sessionAsk =
  (post: HttpPost, url: string): SessionAsk =>
  (body, signal) =>
    post({ url: joinUrl(url, '/session'), body, type: exchangeType, signal });
