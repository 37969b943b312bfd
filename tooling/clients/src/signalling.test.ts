import { createIdentity, nobleCrypto, signedBytes, toHex, utf8 } from '@peerai/core-protocol';
import { startTestnet, type Testnet } from '@peerai/testnet';
import { realRandom } from '@peerai/transport/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChromium } from './browser.ts';

/** What a tab of the test holds. */
interface Tab {
  signal: WebSocket;
  heard: string[];
  said: string[];
  link?: RTCPeerConnection;
  channel?: RTCDataChannel;
}
declare const tab: Tab;

let testnet: Testnet;
let browser: Browser;
beforeAll(async () => {
  [testnet, browser] = await Promise.all([
    startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {} }),
    openChromium(),
  ]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await testnet?.stop();
}, 20_000);

/** A tab registered under a name of its own, that answers offers. Written against the protocol's page, with nothing of ours in it. */
async function openTab(relay: string, id: string): Promise<Page> {
  const key = createIdentity(nobleCrypto, realRandom.bytes(32));
  const page = await browser.newPage();
  await page.goto(`${relay}/health`);
  await page.exposeFunction('signed', (nonce: string) =>
    toHex(key.sign(signedBytes('peerai/signal-register/1', utf8(`${nonce}\n${id}`)))),
  );
  await page.evaluate(
    ([url, name, publicKey]) => {
      const signal = new WebSocket(url);
      const own: Tab = { signal, heard: [], said: [] };
      Object.assign(globalThis, { tab: own });
      const say = (type: string, data: object): void => signal.send(JSON.stringify({ type, data }));
      const use = (channel: RTCDataChannel): void => {
        own.channel = channel;
        channel.addEventListener('message', ({ data }) => void own.said.push(String(data)));
      };
      const connect = (to: string): RTCPeerConnection => {
        const link = new RTCPeerConnection();
        own.link = link;
        link.addEventListener('icecandidate', ({ candidate }) => {
          if (candidate !== null)
            say('signal', {
              target_device_id: to,
              signaling_data: { type: 'ice-candidate', candidate: candidate.toJSON() },
            });
        });
        link.addEventListener('datachannel', ({ channel }) => use(channel));
        return link;
      };
      Object.assign(globalThis, {
        async call(to: string) {
          const link = connect(to);
          use(link.createDataChannel('data'));
          await link.setLocalDescription();
          say('signal', { target_device_id: to, signaling_data: link.localDescription?.toJSON() });
        },
      });
      const take = async (text: string): Promise<void> => {
        const { type, data } = JSON.parse(text);
        own.heard.push(type);
        if (type === 'challenge') {
          const signature = await (globalThis as unknown as { signed(nonce: string): Promise<string> }).signed(
            data.nonce,
          );
          say('register', { device_id: name, public_key: publicKey, signature, peer_info: {} });
        }
        if (type !== 'webrtc_signal') return;
        const news = data.signaling_data;
        if (news.type === 'offer') {
          const link = connect(data.from_device_id);
          await link.setRemoteDescription(news);
          await link.setLocalDescription();
          say('signal', { target_device_id: data.from_device_id, signaling_data: link.localDescription?.toJSON() });
        } else if (news.type === 'answer') await own.link?.setRemoteDescription(news);
        else await own.link?.addIceCandidate(news.candidate);
      };
      signal.addEventListener('message', ({ data }) => void take(String(data)));
    },
    [`${relay.replace(/^http/, 'ws')}/signal`, id, toHex(key.publicKey)] as const,
  );
  await page.waitForFunction(() => tab.heard.includes('registered'));
  return page;
}

test('two tabs meet by a relay’s signalling, and go on talking when the relay is gone', async () => {
  const [relay] = testnet.relays;
  if (relay === undefined) throw new Error('one relay was asked for');
  const a = await openTab(relay.info.http, 'a');
  const b = await openTab(relay.info.http, 'b');
  await a.evaluate(() => (globalThis as unknown as { call(to: string): Promise<void> }).call('b'));
  const isOpen = () => tab.channel?.readyState === 'open';
  await Promise.all([a.waitForFunction(isOpen), b.waitForFunction(isOpen)]);
  await relay.child.kill();
  await Promise.all([a, b].map((page) => page.waitForFunction(() => tab.signal.readyState === WebSocket.CLOSED)));
  await a.evaluate(() => tab.channel?.send('still here'));
  await b.waitForFunction(() => tab.said.length > 0);
  expect(await b.evaluate(() => tab.said)).toEqual(['still here']);
}, 60_000);
