import { cleanup } from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { afterAll, expect, test } from 'vitest';
import { patientConfiguration } from './native-webrtc.ts';

afterAll(cleanup);

test('a connection tells its candidates only once it knows the other side’s description, and then comes up', async () => {
  const [here, there] = [new RTCPeerConnection(patientConfiguration()), new RTCPeerConnection(patientConfiguration())];
  try {
    const told: unknown[] = [];
    const isOver = once(here, 'icegatheringstatechange', () => here.iceGatheringState === 'complete');
    here.addEventListener('icecandidate', (event) => told.push(event));
    here.onicecandidate = ({ candidate }) => void (candidate === null || there.addIceCandidate(candidate));
    there.onicecandidate = ({ candidate }) => void (candidate === null || here.addIceCandidate(candidate));
    const isUp = once(here, 'connectionstatechange', () => here.connectionState === 'connected');
    here.createDataChannel('init');
    const offer = await here.createOffer();
    await isOver;
    expect(told).toEqual([]);
    await there.setRemoteDescription(offer);
    await here.setRemoteDescription(await there.createAnswer());
    expect(told).not.toEqual([]);
    await isUp;
  } finally {
    here.close();
    there.close();
  }
});

function once(target: EventTarget, name: string, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (holds()) resolve();
    };
    target.addEventListener(name, look);
    look();
  });
}
