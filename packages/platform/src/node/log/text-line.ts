const colours: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[36m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const plain = '\u001b[0m';

/** A JSON line of the logger as people read it: `10:42:07 info  link-up path=direct roundTripMs=12`. */
export function textLine(json: string, colour: boolean): string {
  const { level, time, event, peerId: _, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const label = String(level).padEnd(5);
  const shown = colour ? `${colours[String(level)] ?? ''}${label}${plain}` : label;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${show(value)}`);
  return `${clock} ${shown} ${String(event)}${rest.join('')}\n`;
}

function show(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/u.test(value)) return value;
  return JSON.stringify(value);
}
