/** A request's path as the rules and the router see it, so that no spelling of a path reaches a route past its rule. */
export interface RequestPath {
  /** Decoded once, slashes not repeated. */
  readonly path: string;
  /** The path as it came, slashes not repeated, with its query. */
  readonly url: string;
  readonly query: URLSearchParams;
}

/** Reads a request target (RFC 9112, section 3.2): its origin form, or the path of an absolute one. */
export function readTarget(target: string): RequestPath {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  const at = local.indexOf('?');
  const raw = (at < 0 ? local : local.slice(0, at)).replaceAll(/\/{2,}/g, '/');
  const search = at < 0 ? '' : local.slice(at);
  const rooted = raw.startsWith('/') ? raw : `/${raw}`;
  return { path: decoded(rooted), url: `${rooted}${search}`, query: new URLSearchParams(search) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path).replaceAll(/\/{2,}/g, '/');
  } catch {
    return path;
  }
}
