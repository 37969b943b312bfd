/** A route of a peer's HTTP face under its base URL. */
export function joinUrl(base: string, path: string): string {
  const plain = base.replace(/\/+$/u, '');
  // Seed 0's PEER_URL may name the route itself.
  return plain.endsWith(path) ? plain : plain + path;
}
