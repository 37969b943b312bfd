/** One method of one path. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  readonly path: RegExp;
  answer(request: Request, signal: AbortSignal, path: string): Promise<Response>;
}

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json; charset=utf-8', ...headers } });
