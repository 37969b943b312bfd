import { utf8 } from '@peerai/core-protocol';
import { pcpErrorReply } from '@peerai/core-protocol/pcp';
import type { FaceRequest, FaceResponse } from '../http/ports.ts';

/**
 * `POST /inbox` and nothing else, for a program that is nothing but an assistant: whatever stands behind a proxy of it, only this can be asked.
 * `take` gets the body's bytes; what it throws is the answer.
 */
export async function answerInbox(
  { method, path, body }: FaceRequest,
  take: (envelope: Uint8Array) => Promise<void> | void,
): Promise<FaceResponse> {
  if (path !== '/inbox') return said(404, { error: { code: 'NOT_FOUND', message: 'there is nothing at this path' } });
  if (method !== 'POST') return said(405, { error: { code: 'REFUSED', message: 'this path takes POST' } });
  try {
    await take(body);
    return said(200, { status: 'ok' });
  } catch (error) {
    const { status, retryAfterSeconds, body: refusal } = pcpErrorReply(error, 'pcp/1.0-six');
    return said(status, refusal, retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) });
  }
}

const said = (status: number, body: object, more: Readonly<Record<string, string>> = {}): FaceResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...more },
  body: utf8(JSON.stringify(body)),
});
