import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

export interface Anvil extends AsyncDisposable {
  readonly rpcUrl: string;
}

/**
 * A real Ethereum node with a chain of its own in memory: a block a transaction, on a free port of loopback.
 *
 * @param startS - time of its first block, Unix seconds.
 */
export async function startAnvil(startS = 1_800_000_000): Promise<Anvil> {
  const node = spawn(program(), ['--port', '0', '--hardfork', 'cancun', '--timestamp', `${startS}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(node, 'exit');
  const address = Promise.withResolvers<string>();
  let printed = '';
  node.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    const [, found] = /Listening on (\S+)\n/u.exec(printed) ?? [];
    if (found !== undefined) address.resolve(found);
  });
  node.once('error', address.reject);
  node.once('exit', () => address.reject(new Error(`anvil ended early: ${printed}`)));
  return {
    rpcUrl: `http://${await address.promise}`,
    async [Symbol.asyncDispose]() {
      node.kill('SIGKILL');
      await ended;
    },
  };
}

/** The platform package's own file: the wrapper around it is one more process to end. */
function program(): string {
  const wrapper = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));
  const platform = { linux: 'linux', darwin: 'darwin' }[process.platform as string];
  const processor = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  return wrapper.resolve(`@foundry-rs/anvil-${platform}-${processor}/bin/anvil`);
}
