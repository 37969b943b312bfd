/** What happens when, in order of time and then of its making. */
export interface Agenda {
  readonly nowMs: number;
  after(ms: number, happen: () => void): void;
  /** The next happening, false when there is none until then; time has come to it. */
  next(untilMs: number): boolean;
}
interface Item {
  readonly atMs: number;
  readonly place: number;
  readonly happen: () => void;
}

export function createAgenda(): Agenda {
  const heap: Item[] = [];
  let nowMs = 0;
  let made = 0;
  const isBefore = (a: Item, b: Item): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.place < b.place);
  const swap = (a: number, b: number): void => {
    const [one, other] = [heap[a] as Item, heap[b] as Item];
    [heap[a], heap[b]] = [other, one];
  };
  const take = (): Item => {
    const first = heap[0] as Item;
    const last = heap.pop() as Item;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      for (const child of [left, right])
        if (child < heap.length && isBefore(heap[child] as Item, heap[least] as Item)) least = child;
      if (least === at) return first;
      swap(at, least);
      at = least;
    }
  };
  return {
    get nowMs() {
      return nowMs;
    },
    after(ms, happen) {
      heap.push({ atMs: nowMs + Math.max(0, ms), place: (made += 1), happen });
      for (let at = heap.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!isBefore(heap[at] as Item, heap[parent] as Item)) break;
        swap(at, parent);
        at = parent;
      }
    },
    next(untilMs) {
      if ((heap[0]?.atMs ?? Infinity) > untilMs) {
        nowMs = Math.max(nowMs, untilMs);
        return false;
      }
      const item = take();
      nowMs = item.atMs;
      item.happen();
      return true;
    },
  };
}
