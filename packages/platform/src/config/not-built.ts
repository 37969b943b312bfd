/**
 * Keys of the published configuration that this version does not have. They are refused: a key that is accepted takes effect.
 * A name covers everything below it.
 */
export const notBuiltIn: readonly string[] = [
  'network.transports.tor',
  'security.encryption',
  'security.key_exchange',
  'security.signature_algorithm',
  'performance.message_batch_size',
  'performance.compression_threshold',
  'performance.connection_pool_size',
  'performance.max_message_size',
  'nn',
  'telemetry',
];

/** The refused key that covers this one. */
export function refusedKey(key: string): string | undefined {
  return notBuiltIn.find((name) => key === name || key.startsWith(`${name}.`));
}
