/** Numbers, times and links as people say them. */
import type { PeerView } from '@peerai/peer/control';

export function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

export function until(ms: number, nowMs = Date.now()): string {
  return ms <= nowMs ? 'over' : `${seconds(ms - nowMs)} left`;
}

export function ago(ms: number | null, nowMs = Date.now()): string {
  return ms === null ? 'never' : `${seconds(Math.max(0, nowMs - ms))} ago`;
}

/** 7f3a91c2… in groups of four from its end, for a list. */
export function shortId(id: string): string {
  const end = id.slice(-8);
  return `…${end.slice(0, 4)}-${end.slice(4)}`;
}

/** 1 entry, 2 entries. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

const signs = { direct: '● direct', relayed: '◐ relayed' } as const;

/** The way to a peer, and what is to be known of it. */
export function linkWords(
  peer: Pick<PeerView, 'state' | 'path' | 'transport' | 'throughTurn' | 'hybrid' | 'health' | 'through'>,
): string {
  const { path, transport, throughTurn, hybrid, health, through } = peer;
  if (path === null) {
    if (peer.state === 'blocked') return '⊘ blocked';
    return through === undefined ? '○ offline' : `◌ letters through ${through.join(', ')}`;
  }
  const carried = path === 'direct' && transport !== undefined ? ` (${transport})` : '';
  return [
    throughTurn === true ? '◐ relayed by TURN' : `${signs[path]}${carried}`,
    ...(hybrid === false ? ['not post-quantum'] : []),
    ...(health === 'unhealthy' ? ['no answer'] : []),
  ].join(', ');
}

/** Micro-credits as credits, no more digits than it has. */
export function creditsText(micro: string): string {
  const digits = micro.replace('-', '').padStart(7, '0');
  const part = digits.slice(-6).replace(/0+$/u, '');
  return `${micro.startsWith('-') ? '-' : ''}${digits.slice(0, -6)}${part === '' ? '' : `.${part}`}`;
}
