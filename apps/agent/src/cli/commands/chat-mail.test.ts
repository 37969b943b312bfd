import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { systemRandom } from '@peerai/platform';
import { loadConfig } from '@peerai/platform/node';
import { sealEnvelope } from '@peerai/messaging/assistant';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chatLimits } from './chat-limits.ts';
import { type ChatMail, type MailOptions, openChatMail } from './chat-mail.ts';
import { chatProject } from './chat-project.ts';

const secret = 'a secret of both sides';
let folder: string;
let mail: ChatMail | undefined;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'peerai-mail-'))));
afterEach(async () => {
  await mail?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const options = (env: Readonly<Record<string, string>>): MailOptions => ({
  project: chatProject({ id: 'assistant_b', dir: folder }),
  peer: 'assistant_a',
  secret,
  loaded: loadConfig({ env: { PEERAI_HTTP__PORT: '0', ...env }, cwd: folder, home: folder }),
});
function deps() {
  const [heard, complaints, clock]: [string[], string[], ManualClock] = [[], [], new ManualClock()];
  const given = {
    clock,
    crypto: nodeCrypto,
    logger: silentLogger,
    heard: ({ text }: { readonly text: string }) => void heard.push(text),
    complain: (code: string) => void complaints.push(code),
  };
  return { given, heard, complaints, clock };
}
const sealed = (text: string, by = secret): Uint8Array => {
  const names = { from: 'assistant_a', to: 'assistant_b', secret: by, sentMs: 0 };
  return sealEnvelope({ crypto: nodeCrypto, random: systemRandom }, names, { text, type: 'user', userInitiated: true });
};

test('who floods the port with what cannot be opened is complained of once every complainMsMin, and good mail comes', async () => {
  const { given, heard, complaints, clock } = deps();
  mail = await openChatMail(given, options({ PEER_URL: 'http://127.0.0.1:9' }));
  const post = async (body: Uint8Array): Promise<number> =>
    (await fetch(mail?.places[0] ?? '', { method: 'POST', body: Uint8Array.from(body) })).status;
  for (const waitMs of [0, 0, chatLimits.complainMsMin - 1]) {
    await clock.advance(waitMs);
    expect(await post(sealed('x', 'another secret'))).toBe(400);
  }
  expect(complaints).toEqual(['DECRYPTION_FAILED']);
  await clock.advance(1);
  await post(sealed('x', 'another secret'));
  const good = sealed('good');
  expect([await post(good), await post(good), heard]).toEqual([200, 409, ['good']]);
  expect(complaints).toEqual(['DECRYPTION_FAILED', 'DECRYPTION_FAILED']);
});

test('without an address of the other side there is no port, and mail is in the inbox alone', async () => {
  mail = await openChatMail(deps().given, options({}));
  expect(mail.places).toEqual([join(folder, 'inbox')]);
});

test('nothing goes round a proxy or Tor', async () => {
  for (const env of [
    { PEERAI_NETWORK__TRANSPORTS__SOCKS5: '127.0.0.1:1080' },
    { PEERAI_SECURITY__ENABLE_TOR: 'true' },
  ]) {
    const opening = openChatMail(deps().given, options({ PEER_URL: 'http://127.0.0.1:9', ...env }));
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  }
});
