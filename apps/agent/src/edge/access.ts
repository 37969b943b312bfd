import { equalBytes, utf8 } from '@peerai/core-protocol';
import { sessionPath } from './session-codes.ts';

/** Who may call what, decided once for requests and upgrades alike. Paths are those after `/t/<key>` was taken off. */
export interface AccessRules {
  /** The address this API listens on is a loopback one. */
  readonly loopbackBind: boolean;
  /** `all`: the AI gateway, `/network` and `/metrics` need a token too. */
  readonly requireToken: 'control' | 'all';
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly controlToken: string;
  /** Value of the docs cookie: it opens the docs and nothing else, for other programs on this host see a browser's cookies too. */
  readonly docsSession: string;
  readonly isGatewayKey: (key: string) => boolean;
}

export interface AccessFacts {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Value of `Sec-Fetch-Site`, which browsers send and pages cannot. */
  readonly fetchSite?: string | undefined;
  readonly authorization: string | undefined;
  /** Value of `x-api-key`, Anthropic's way of saying bearer. */
  readonly apiKey?: string | undefined;
  /** Key found in a `/t/<key>/…` path. */
  readonly pathKey: string | undefined;
  /** Value of the cookie that only `/docs` reads. */
  readonly docsCookie?: string | undefined;
  /** The other end of the socket is this machine. */
  readonly remoteLoopback: boolean;
}

export type AccessArea = 'control' | 'gateway' | 'events' | 'docs' | 'metrics' | 'open';
export type AccessVerdict =
  | {
      readonly allowed: true;
      readonly area: AccessArea;
      /** May be told what is for the owner's eyes: whoever shows the control token, and any local program where none is asked for. */
      readonly owner: boolean;
      readonly cors?: string;
      readonly preflight: boolean;
    }
  | {
      readonly allowed: false;
      readonly area: AccessArea;
      readonly status: 401 | 403;
      readonly code: 'HOST_REFUSED' | 'ORIGIN_REFUSED' | 'TOKEN_MISSING' | 'TOKEN_WRONG';
      readonly detail: string;
      readonly hint: string;
    };

const ollamaPaths = new Set([
  'tags',
  'version',
  'ps',
  'chat',
  'generate',
  'show',
  'embed',
  'embeddings',
  'pull',
  'push',
  'create',
  'copy',
  'delete',
  'blobs',
]);

/** Which rule a path falls under. */
export function areaOf(path: string): AccessArea {
  if (path === '/network') return 'events';
  if (/^\/docs(?:[/-]|$)/.test(path)) return 'docs';
  if (path === '/v1' || path.startsWith('/v1/')) return 'gateway';
  if (path === '/metrics') return 'metrics';
  if (path === sessionPath) return 'open';
  const api = /^\/api\/([^/]+)/.exec(path)?.[1];
  if (api !== undefined) return ollamaPaths.has(api) ? 'gateway' : 'control';
  return 'open';
}

export function decideAccess(rules: AccessRules, facts: AccessFacts): AccessVerdict {
  const closed = rules.requireToken === 'all' || !rules.loopbackBind;
  const named = areaOf(facts.path);
  // Counts of what this agent does: for local programs like the pages, elsewhere for the owner alone.
  const area = named === 'metrics' && !closed ? 'open' : named;
  const refuse = (
    status: 401 | 403,
    code: 'HOST_REFUSED' | 'ORIGIN_REFUSED' | 'TOKEN_MISSING' | 'TOKEN_WRONG',
    detail: string,
    hint: string,
  ): AccessVerdict => ({ allowed: false, area, status, code, detail, hint });

  if (!hostAllowed(rules, facts.host)) {
    return refuse(
      403,
      'HOST_REFUSED',
      `the Host header is "${clip(facts.host)}", not a name of this machine`,
      'Add the name to security.allow_hosts if it is yours.',
    );
  }
  const own =
    facts.origin === undefined || facts.origin === `http://${facts.host}` || facts.origin === `https://${facts.host}`;
  const listed = facts.origin !== undefined && rules.allowOrigins.includes(facts.origin);
  // A page's image or script tag sends no Origin; what the browser says of its site is all there is.
  const hidden = facts.origin === undefined && area !== 'open' && /^(?:cross|same)-site$/.test(facts.fetchSite ?? '');
  if ((!own && !listed) || hidden) {
    return refuse(
      403,
      'ORIGIN_REFUSED',
      `pages of ${facts.origin === undefined ? 'another site' : clip(facts.origin)} may not call this agent`,
      'Add the origin to security.allow_origins if it is yours.',
    );
  }
  const cors = listed && facts.origin !== undefined ? { cors: facts.origin } : {};
  if (listed && facts.method === 'OPTIONS') return { allowed: true, area, owner: false, preflight: true, ...cors };
  const presented = presentedToken(facts);
  const owner = presented === undefined ? !closed : isSame(presented, rules.controlToken);
  const yes: AccessVerdict = { allowed: true, area, owner, preflight: false, ...cors };

  if (presented === undefined && area === 'docs' && isSame(facts.docsCookie, rules.docsSession)) return yes;
  if (presented !== undefined)
    return tokenVerdict(rules, area, presented)
      ? yes
      : refuse(401, 'TOKEN_WRONG', 'this token is not valid here', tokenHint(area));
  if (area === 'open') return yes;
  const local = !closed && facts.remoteLoopback && facts.origin === undefined;
  if ((area === 'gateway' || area === 'events') && local) return yes;
  return refuse(401, 'TOKEN_MISSING', 'this route needs a token', tokenHint(area));
}

/** A control token opens everything, a gateway key only the gateway and the read-only events. */
function tokenVerdict(rules: AccessRules, area: AccessArea, token: string): boolean {
  if (isSame(token, rules.controlToken)) return true;
  return (area === 'gateway' || area === 'events' || area === 'open') && rules.isGatewayKey(token);
}

function presentedToken(facts: AccessFacts): string | undefined {
  if (facts.pathKey !== undefined) return facts.pathKey;
  if (facts.authorization !== undefined) return /^Bearer\s+(\S+)$/i.exec(facts.authorization)?.[1] ?? '';
  return facts.apiKey;
}

/** Compares in constant time. */
function isSame(given: string | undefined, secret: string): boolean {
  return given !== undefined && equalBytes(utf8(given), utf8(secret));
}

function tokenHint(area: AccessArea): string {
  if (area === 'metrics') return 'Prometheus sends it from a file: `authorization: { credentials_file: … }`.';
  return area === 'gateway' || area === 'events'
    ? 'Make a gateway key with `peerai key add <name>`; `peerai env openai` prints it as settings.'
    : 'Open the dashboard with `peerai open`; the token is in the file that `peerai status` names.';
}

function hostAllowed(rules: AccessRules, host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name))
    return true;
  return rules.allowHosts.some(
    (allowed) => allowed.toLowerCase() === name || allowed.toLowerCase() === host.toLowerCase(),
  );
}

/** Takes `/t/<key>` off a URL. */
export function splitPathKey(url: string): { readonly url: string; readonly key: string | undefined } {
  const match = /^\/t\/([\w-]{16,128})(\/[^]*)?$/.exec(url);
  return match === null ? { url, key: undefined } : { url: match[2] ?? '/', key: match[1] };
}

function clip(text: string | undefined): string {
  return (text ?? '').slice(0, 100).replaceAll(/[^\x20-\x7E]/g, '?');
}
