/** What of a browser's `navigator` this asks; a test hands in another one. */
interface MayHaveGpu {
  readonly gpu?: { requestAdapter(): Promise<unknown> };
}

/** A browser may have no WebGPU, or have it and nothing to run it on. */
export async function adapterOf(navigator: unknown): Promise<'there' | 'no-webgpu' | 'no-adapter'> {
  const { gpu } = navigator as MayHaveGpu;
  if (gpu === undefined) return 'no-webgpu';
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter === null ? 'no-adapter' : 'there';
}
