/** Stands in for `@libp2p/logger` in the guest's page: pages keep no logs, and what would format them is a fiftieth of the network. */
const silent = Object.assign(() => undefined, {
  enabled: false,
  trace: () => undefined,
  error: () => undefined,
  newScope: (): object => silent,
});

export function defaultLogger(): { forComponent(name: string): object } {
  return { forComponent: () => silent };
}

export const logger = (): object => silent;
