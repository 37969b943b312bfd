import { createSocket } from 'node:dgram';

/** Where it says that a question came from. */
export type SeenFrom = (address: string, port: number) => { readonly host: string; readonly port: number };

export interface StunResponder {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A STUN server that knows Binding requests over IPv4 alone (RFC 8489).
 * @param port - 0 takes a free one.
 * @param answerBytes - how long an answer is: a SOFTWARE attribute fills it up. 32, which is none, by default.
 */
export async function createStunResponder(
  host: string,
  port: number,
  seen?: SeenFrom,
  answerBytes = 32,
): Promise<StunResponder> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    if (question.length < 20 || question.readUInt16BE(0) !== 1) return;
    const answered = seen?.(from.address, from.port) ?? { host: from.address, port: from.port };
    const answer = Buffer.alloc(answerBytes);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(answerBytes - 20, 2);
    question.copy(answer, 4, 4, 20);
    answer.writeUInt16BE(0x0020, 20);
    answer.writeUInt16BE(8, 22);
    answer.writeUInt16BE(1, 24);
    answer.writeUInt16BE(answered.port ^ 0x2112, 26);
    for (const [index, part] of answered.host.split('.').entries())
      answer[28 + index] = Number(part) ^ (question[4 + index] ?? 0);
    if (answerBytes > 32) {
      answer.writeUInt16BE(0x8022, 32);
      answer.writeUInt16BE(answerBytes - 36, 34);
    }
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => void socket.bind(port, host, resolve));
  return {
    port: socket.address().port,
    stop: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}
