import { cleanup } from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { afterAll, expect, test } from 'vitest';
import { patientConfiguration } from './native-webrtc.ts';

afterAll(cleanup);

test('a connection tells its candidates only once it knows the other side’s description, and then comes up', async () => {
  const [here, there] = [new RTCPeerConnection(patientConfiguration()), new RTCPeerConnection(patientConfiguration())];
  const hasty = new RTCPeerConnection({ iceServers: [] });
  try {
    const told: unknown[] = [];
    here.addEventListener('icecandidate', (event) => told.push(event));
    here.onicecandidate = ({ candidate }) => void (candidate === null || there.addIceCandidate(candidate));
    there.onicecandidate = ({ candidate }) => void (candidate === null || here.addIceCandidate(candidate));
    const isUp = once(here, 'connectionstatechange', () => here.connectionState === 'connected');
    here.createDataChannel('init');
    const offer = await here.createOffer();
    const isTold = once(hasty, 'icecandidate', () => true);
    hasty.createDataChannel('init');
    await hasty.createOffer();
    await isTold;
    expect(told).toEqual([]);
    await there.setRemoteDescription(offer);
    await here.setRemoteDescription(await there.createAnswer());
    expect(told).not.toEqual([]);
    await isUp;
  } finally {
    for (const one of [here, there, hasty]) one.close();
  }
});

const once = (target: EventTarget, name: string, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    target.addEventListener(name, () => {
      if (holds()) resolve();
    });
  });
