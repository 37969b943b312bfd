/** What a page may do: run its own scripts and nothing else. @param connect - where it may open connections to */
const policy = (connect: string): string =>
  `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src ${connect}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * The headers of one built file. The guest's page (`share.html`) opens WebSockets to peers and relays wherever they are, the owner's speaks
 * to its own agent alone. What stands behind `#` no browser sends, and no-referrer keeps even the path here. Names of `/assets/` carry a
 * hash of their content, so they never change.
 */
export function pageHeaders(path: string): Readonly<Record<string, string>> {
  return {
    'content-security-policy': policy(path === '/share.html' ? "'self' ws: wss:" : "'self'"),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
  };
}
