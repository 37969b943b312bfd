import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Counts what this process writes to TCP sockets from now on, closed ones included. */
export function countSocketBytes(): () => number {
  const open = new Set<Socket>();
  let closed = 0;
  const watch = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      closed += socket.bytesWritten;
    });
  };
  subscribe('net.client.socket', watch);
  subscribe('net.server.socket', watch);
  return () => [...open].reduce((sum, socket) => sum + socket.bytesWritten, closed);
}
