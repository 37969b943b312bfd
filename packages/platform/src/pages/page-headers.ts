/** What a page may do: run its own scripts and nothing else. @param connect - where it may open connections to */
const policy = (connect: string, script = "'self'"): string =>
  `default-src 'none'; script-src ${script}; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src ${connect}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
const anywhere = "'self' ws: wss:";

/** A page that computes, and its workers, may run WebAssembly, and stand alone among origins: threads need that. */
const computing = {
  'content-security-policy': policy(anywhere, "'self' 'wasm-unsafe-eval'"),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Pages that a link opens, by the short path it has. */
export const linkPages: ReadonlyMap<string, string> = new Map([
  ['/s', '/share.html'],
  ['/t', '/train.html'],
]);

/**
 * The headers of one built file. The pages behind a link open WebSockets to peers and relays wherever they are, the owner's speaks
 * to its own agent alone. What stands behind `#` no browser sends, and no-referrer keeps even the path here. Names of `/assets/` and
 * `/tab/`, the files of the page for training, carry a hash of their content, so they never change.
 */
export function pageHeaders(path: string): Readonly<Record<string, string>> {
  const isTab = path === '/train.html' || path.startsWith('/tab/');
  return {
    ...(isTab ? computing : { 'content-security-policy': policy(path === '/share.html' ? anywhere : "'self'") }),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': /^\/(?:assets|tab)\//.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
  };
}
