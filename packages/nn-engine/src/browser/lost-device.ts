import { type Served, WorkerFailure } from '../program/session.ts';

/** What a device says when it is lost, of `GPUDevice.lost`. */
interface Loss {
  readonly message: string;
}

/**
 * The session, until its graphics processor is lost: what is being computed then, and whatever is asked after, ends with MODEL_REFUSED. ONNX Runtime 1.30
 * itself refuses the first run after a loss and never answers the next.
 */
export function untilLost(session: Served, lost: Promise<Loss>): Served {
  let failure: WorkerFailure | undefined;
  let giveUp: ((reason: WorkerFailure) => void) | undefined;
  const watch = async (): Promise<void> => {
    const { message } = await lost;
    failure = new WorkerFailure('MODEL_REFUSED', `The graphics processor was lost: ${message}`);
    giveUp?.(failure);
  };
  void watch();
  const unlessLost = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failure !== undefined) throw failure;
    const end = Promise.withResolvers<never>();
    giveUp = end.reject;
    try {
      return await Promise.race([work(), end.promise]);
    } catch (error) {
      throw failure ?? error;
    } finally {
      giveUp = undefined;
    }
  };
  return {
    run: (feeds) => unlessLost(() => session.run(feeds)),
    read: (input) => unlessLost(() => session.read(input)),
    write(input, value) {
      if (failure !== undefined) throw failure;
      session.write(input, value);
    },
    settle: (counts) => session.settle(counts),
    release: () => session.release(),
  };
}
