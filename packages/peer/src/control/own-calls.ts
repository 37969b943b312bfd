import type { OwnDevicesView } from '../own/own.schema.ts';
import type { Call } from './cluster-calls.ts';

export interface OwnCalls {
  /** The other devices of this owner, and what they brought. */
  ownDevices(signal?: AbortSignal): Promise<OwnDevicesView>;
  /** Compares memory and clusters with those that are here, now. */
  syncOwnDevices(signal?: AbortSignal): Promise<OwnDevicesView>;
}

export const ownCalls = (call: Call): OwnCalls => ({
  ownDevices: (signal) => call('GET', '/memory/devices', undefined, signal),
  syncOwnDevices: (signal) => call('POST', '/memory/sync', {}, signal),
});
