import type { TransportStats } from '@peerai/transport';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Prometheus text of what a relay may know: counts and sizes, no peer ids. */
export function createRelayMetrics(): { text(stats: TransportStats): Promise<string> } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'peerai_relay_' });
  const registers = [registry];
  const gauges = {
    connections: new Gauge({ name: 'peerai_relay_connections', help: 'Open connections.', registers }),
    reservations: new Gauge({
      name: 'peerai_relay_reservations',
      help: 'Peers that can be reached through this relay.',
      registers,
    }),
    bytesSent: new Gauge({
      name: 'peerai_relay_sent_bytes',
      help: 'Bytes of own channels sent over open links.',
      registers,
    }),
    bytesReceived: new Gauge({
      name: 'peerai_relay_received_bytes',
      help: 'Bytes of own channels received over open links.',
      registers,
    }),
  };
  return {
    text(stats) {
      for (const name of ['connections', 'reservations', 'bytesSent', 'bytesReceived'] as const)
        gauges[name].set(stats[name]);
      return registry.metrics();
    },
  };
}
