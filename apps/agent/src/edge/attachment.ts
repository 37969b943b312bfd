/** Headers of a file to be saved: whatever it holds, no browser shows it as a page of this agent. */
export const attachment = (name: string, bytes: number) => ({
  'content-type': 'application/octet-stream',
  'content-length': bytes,
  'content-disposition': disposition(name),
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});

/** RFC 6266: the name in ASCII for old clients, and whole as RFC 8187 writes it. */
function disposition(name: string): string {
  const ascii = name.replaceAll(/[^A-Za-z0-9._()\- ]/gu, '_');
  const whole = encodeURIComponent(name).replaceAll(/['()*]/gu, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${whole}`;
}
