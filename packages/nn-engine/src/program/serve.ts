import { type Close, loadId, type Question, type Reply, type WorkerErrorCode } from './messages.ts';
import { type Served, WorkerFailure } from './session.ts';

/** A worker's end of its line. */
interface WorkerPort {
  reply(message: Reply): void;
  onQuestion(listener: (question: Question | Close) => void): void;
  close(): void;
}

/** Loads one session and answers for it, one question after the other. What came before the load is over has to wait in the port. */
export async function serveProgram(load: () => Promise<Served>, port: WorkerPort): Promise<void> {
  try {
    const session = await load();
    let before: Promise<void> = Promise.resolve();
    port.onQuestion((question) => {
      before = after(before, () => receive(session, question, port));
    });
    port.reply({ id: loadId });
  } catch (error) {
    port.reply(failure(loadId, error, 'MODEL_REFUSED'));
  }
}

async function receive(session: Served, question: Question | Close, port: WorkerPort): Promise<void> {
  if (question.kind === 'close') {
    await session.release();
    port.close();
    return;
  }
  session.settle(question.withoutLast !== true);
  try {
    port.reply(await answer(session, question));
  } catch (error) {
    port.reply(failure(question.id, error, 'MODEL_REFUSED'));
  }
}

async function answer(session: Served, question: Question): Promise<Reply> {
  if (question.kind === 'run') return { id: question.id, tensors: await session.run(question.feeds) };
  if (question.kind === 'read') return { id: question.id, tensor: await session.read(question.input) };
  session.write(question.input, question.value);
  return { id: question.id };
}

function failure(id: number, error: unknown, otherwise: WorkerErrorCode): Reply {
  if (error instanceof WorkerFailure) return { id, code: error.code, message: error.message, details: error.details };
  const message = error instanceof Error ? error.message : String(error);
  const node = /Name:'([^']*)'/.exec(message)?.[1];
  const code = node === undefined ? otherwise : 'SHAPE_MISMATCH';
  return { id, code, message: `ONNX Runtime: ${message}`, details: node === undefined ? {} : { node } };
}

async function after(before: Promise<void>, work: () => Promise<void>): Promise<void> {
  await before;
  await work();
}
