import { createServer } from 'node:net';
import { PeerAiError } from '@peerai/core-protocol';

/** Ports tried after the wished one, where nothing was configured. */
const triesMax = 20;

/**
 * The wished port, or the next free one when the user configured none. Throws PORT_TAKEN naming the port and the setting.
 *
 * @param span - how many ports in a row are needed
 */
export async function choosePort(wish: { readonly host: string; readonly port: number; readonly span: number; readonly configured: boolean; readonly setting: string }): Promise<number> {
  const { host, port, span, configured, setting } = wish;
  if (port === 0) return 0;
  for (let tried = 0; tried < triesMax; tried += 1) {
    const candidate = port + tried * span;
    if (await areFree(host, candidate, span)) return candidate;
    if (configured) {
      throw new PeerAiError('PORT_TAKEN', `port ${candidate} on ${host} is taken by another program`, {
        port: candidate,
        hint: `Stop that program, or set ${setting} to another port.`,
      });
    }
  }
  throw new PeerAiError('PORT_TAKEN', `ports ${port} to ${port + triesMax * span} on ${host} are taken`, { port, hint: `Set ${setting}.` });
}

async function areFree(host: string, port: number, span: number): Promise<boolean> {
  for (let offset = 0; offset < span; offset += 1) if (!(await isFree(host, port + offset))) return false;
  return true;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
