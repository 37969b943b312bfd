import { cleanup } from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { afterAll, expect, test } from 'vitest';
import { createStunResponder } from '../testing/index.ts';
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

test('a STUN server that the owner names is asked, and what it saw is told to the other side', async () => {
  const seen = { host: '198.51.100.7', port: 61_000 };
  const server = await createStunResponder('127.0.0.1', 0, () => seen);
  const servers = [{ hostname: '127.0.0.1', port: server.port }];
  const [here, there] = [
    new RTCPeerConnection(patientConfiguration(servers)),
    new RTCPeerConnection(patientConfiguration()),
  ];
  try {
    const told = new Promise<string>((resolve) => {
      here.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate.includes('typ srflx') === true) resolve(candidate.candidate);
      };
    });
    here.createDataChannel('init');
    await there.setRemoteDescription(await here.createOffer());
    await here.setRemoteDescription(await there.createAnswer());
    expect(await told).toContain(`${seen.host} ${seen.port}`);
  } finally {
    for (const one of [here, there]) one.close();
    await server.stop();
  }
});

const once = (target: EventTarget, name: string, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    target.addEventListener(name, () => {
      if (holds()) resolve();
    });
  });
