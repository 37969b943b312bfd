import { PeerAiError } from '@peerai/core-protocol';
import { bytes } from '../shared/format.ts';
import { ui } from './strings.ts';

/** Said before the agent is asked: a browser that cannot read a file only breaks the request. Throws LIMIT_EXCEEDED, USAGE. */
export async function checkReadable(file: File, bytesMax: number): Promise<void> {
  if (file.size > bytesMax) throw new PeerAiError('LIMIT_EXCEEDED', ui.tooLong(file.name, bytes(bytesMax)));
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (cause) {
    throw new PeerAiError('USAGE', ui.unreadable(file.name), {}, { cause });
  }
}
