import type { ServerResponse } from 'node:http';

/** Resolves when the client has read enough for more to be written, or has gone. Leaves no listener behind. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    if (response.destroyed) return done();
    response.on('drain', done);
    response.on('close', done);
  });
}
