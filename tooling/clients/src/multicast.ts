import { createSocket } from 'node:dgram';

/** The group of mDNS (RFC 6762). */
const group = '224.0.0.251';
/** How long a datagram to ourselves may take, milliseconds. */
const ownPacketMs = 500;

/** Some containers have no route for multicast: there nobody finds anybody. */
export function canMulticast(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const end = (heard: boolean): void => {
      clearTimeout(timer);
      socket.close(() => resolve(heard));
    };
    const timer = setTimeout(() => end(false), ownPacketMs);
    socket.once('error', () => end(false));
    socket.once('message', () => end(true));
    socket.bind(0, () => {
      try {
        socket.addMembership(group);
        socket.setMulticastLoopback(true);
        socket.send('anybody?', socket.address().port, group);
      } catch {
        end(false);
      }
    });
  });
}
