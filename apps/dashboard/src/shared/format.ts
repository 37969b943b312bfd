const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const numbers = new Intl.NumberFormat('en');

/** `12345` → `12,345`. */
export function count(value: number): string {
  return numbers.format(Math.round(value));
}

/** `18200` → `18.2k`, rounded down: what is left is never more than shown; below ten thousand the number itself. */
export function shortCount(value: number): string {
  if (value < 10_000) return count(value);
  const [unit, sign] = value < 1_000_000 ? [1_000, 'k'] : [1_000_000, 'M'];
  return `${(Math.floor((value / unit) * 10) / 10).toFixed(1)}${sign}`;
}

/** Decimal units as data sheets use them: `186 kB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = value;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** A span for people, at most two units: `1 h 58 min`, `3 days`, `20 s`. */
export function span(ms: number): string {
  const left = Math.max(0, ms);
  if (left < minuteMs) return `${Math.round(left / secondMs)} s`;
  if (left < hourMs) return `${Math.round(left / minuteMs)} min`;
  if (left >= 2 * dayMs) return `${Math.round(left / dayMs)} days`;
  const hours = Math.floor(left / hourMs);
  const minutes = Math.round((left % hourMs) / minuteMs);
  if (minutes === 60) return `${hours + 1} h`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}

/** `8 s ago`; below two seconds `just now`. */
export function ago(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  return ms < 2 * secondMs ? 'just now' : `${span(ms)} ago`;
}

/** Seconds with the digits that matter: `0.21 s`, `2.8 s`, `34 s`. */
export function seconds(ms: number): string {
  const value = ms / secondMs;
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : Math.round(value)} s`;
}

export function roundTrip(ms: number): string {
  return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
}

/** Tokens a second: whole numbers above ten. */
export function rate(tokensPerSecond: number): string {
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : count(tokensPerSecond)} tok/s`;
}

/** The first 16 characters of a key or hash, in groups of four. */
export function shortId(text: string): string {
  return (text.slice(0, 16).match(/.{1,4}/g) ?? []).join(' ');
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** Points of a group, their amount in digits. */
export const points = (amount: string): string => `${amount} ${amount === '1' ? 'point' : 'points'}`;

/** `16:00` today, else with the day. */
export function clockTime(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const sameDay = date.toDateString() === new Date(nowMs).toDateString();
  return date.toLocaleString('en', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(sameDay ? {} : { day: 'numeric', month: 'short' }),
  });
}

/** Errors and findings come without capital and stop; people read sentences. */
export function sentence(text: string): string {
  const capital = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return capital === '' || /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
