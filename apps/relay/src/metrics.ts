import type { MailboxStats } from '@peerai/messaging/mailbox';
import type { TransportStats } from '@peerai/transport';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** Prometheus text of what a relay may know: counts and sizes, no peer ids. */
export function createRelayMetrics(): { text(stats: TransportStats, mail: MailboxStats): Promise<string> } {
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
    circuits: new Gauge({
      name: 'peerai_relay_circuits',
      help: 'Connections between two peers that this relay carries now.',
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
  const mailGauges = {
    registrations: new Gauge({ name: 'peerai_relay_mailboxes', help: 'Peers that letters are kept for.', registers }),
    letters: new Gauge({ name: 'peerai_relay_letters', help: 'Sealed letters that wait here.', registers }),
    bytes: new Gauge({ name: 'peerai_relay_letter_bytes', help: 'Bytes of the letters that wait here.', registers }),
  };
  const refused = new Counter({
    name: 'peerai_relay_refused_total',
    help: 'Refused because a limit was reached.',
    labelNames: ['what'],
    registers,
  });
  const cut = new Counter({
    name: 'peerai_relay_circuits_cut_total',
    help: 'Relayed connections ended because their bytes or their time were spent.',
    registers,
  });
  return {
    text(stats, mail) {
      for (const name of ['connections', 'reservations', 'circuits', 'bytesSent', 'bytesReceived'] as const)
        gauges[name].set(stats[name]);
      for (const name of ['registrations', 'letters', 'bytes'] as const) mailGauges[name].set(mail[name]);
      refused.reset();
      for (const what of ['connections', 'reservations', 'circuits'] as const)
        refused.inc({ what }, stats.refused[what]);
      cut.reset();
      cut.inc(stats.refused.circuitsCut);
      return registry.metrics();
    },
  };
}
