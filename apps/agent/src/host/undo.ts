/** Steps that end what was started, last first. */
export interface Undo {
  add(step: () => unknown): void;
  /** Runs every step once; one that fails does not keep the others from running. */
  run(): Promise<void>;
}

export function undoList(): Undo {
  const steps: (() => unknown)[] = [];
  let running: Promise<void> | undefined;
  const runAll = async (): Promise<void> => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await step();
      } catch {
        // The end goes on: what could not be closed is closed by the process's own end.
      }
    }
  };
  return {
    add: (step) => void steps.push(step),
    run: () => (running ??= runAll()),
  };
}
