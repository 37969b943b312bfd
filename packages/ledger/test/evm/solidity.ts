import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface Compiled {
  readonly abi: readonly Record<string, unknown>[];
  readonly deployment: `0x${string}`;
  readonly deployed: `0x${string}`;
}

/** The compiler's own JSON interface: https://docs.soliditylang.org/en/latest/using-the-compiler.html */
const settings = {
  // Older than the newest: side chains follow Ethereum with a delay.
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 1_000 },
  // No hash of the source at the end: a comment changes no code.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};

/** Compiles these files with solc-js (the compiler itself, as WebAssembly); the contract of each by its name. Throws what the compiler says, warnings too. */
export function compile(files: readonly URL[]): Record<string, Compiled> {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
  const nameOf = (file: URL): string => file.pathname.split('/').at(-1) ?? '';
  const sources = Object.fromEntries(files.map((file) => [nameOf(file), { content: readFileSync(file, 'utf8') }]));
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }))) as {
    errors?: readonly { formattedMessage: string }[];
    contracts: Record<
      string,
      Record<
        string,
        {
          abi: Compiled['abi'];
          evm: Record<'bytecode' | 'deployedBytecode', { object: string }>;
        }
      >
    >;
  };
  if (output.errors !== undefined) throw new Error(output.errors.map((one) => one.formattedMessage).join('\n'));
  return Object.fromEntries(
    Object.values(output.contracts)
      .flatMap((file) => Object.entries(file))
      .map(([name, { abi, evm }]) => [
        name,
        { abi, deployment: `0x${evm.bytecode.object}`, deployed: `0x${evm.deployedBytecode.object}` } as const,
      ]),
  );
}
