import type { TabStart } from '../../src/browser/messages.ts';

/** The worker at `/worker.js`, whose graphics processor a page can take away: this keeps each device that is asked for, and destroys them when told. */
interface Device {
  destroy(): void;
  readonly lost: Promise<unknown>;
}
interface Adapter {
  requestDevice: (...asked: readonly unknown[]) => Promise<Device>;
}

const devices: Device[] = [];
const { prototype } = (globalThis as unknown as { readonly GPUAdapter: { readonly prototype: Adapter } }).GPUAdapter;
const { requestDevice } = prototype;
prototype.requestDevice = async function keep(...asked) {
  const device = await requestDevice.apply(this, [...asked]);
  devices.push(device);
  return device;
};

const line = new BroadcastChannel('lose');
line.addEventListener('message', ({ data }) => {
  if (data === 'lose') void lose();
});

async function lose(): Promise<void> {
  for (const device of devices) device.destroy();
  await Promise.all(devices.map(({ lost }) => lost));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel, not a window
  line.postMessage(`lost ${devices.length}`);
}

/** It comes before the worker listens; joined with this file it would be left out, because nothing of it is used. */
const begun = new Promise<TabStart>((resolve) => {
  const first = (event: MessageEvent<TabStart>): void => {
    event.stopImmediatePropagation();
    resolve(event.data);
  };
  addEventListener('message', first, { once: true });
});
const worker: string = '/worker.js';
await import(/* @vite-ignore */ worker);
dispatchEvent(new MessageEvent('message', { data: await begun }));
