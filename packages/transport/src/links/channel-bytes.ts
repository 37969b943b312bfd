import { AbstractMultiaddrConnection } from '@libp2p/utils';

type SendData = AbstractMultiaddrConnection['sendData'];

/** One binary message on a data channel, bytes: every browser takes it. */
export const pieceBytes = 65_536;
/** Bytes that may wait in a data channel before its writer waits for "low" (at a quarter of it). */
export const bufferBytes = 1_048_576;

/** An open WebRTC data channel as libp2p's bytes, whoever made it; Noise and yamux go over it as over a socket. */
export abstract class ChannelBytes extends AbstractMultiaddrConnection {
  protected abstract isOpen(): boolean;
  protected abstract sendPiece(piece: Uint8Array): void;
  protected abstract waitingBytes(): number;
  protected abstract closeChannel(): void;
  protected abstract closeConnection(): void;

  /** The channel or its connection ended. */
  protected over(): void {
    this.onTransportClosed();
    this.closeConnection();
  }

  sendData(data: Parameters<SendData>[0]): ReturnType<SendData> {
    const sentBytes = data.byteLength;
    for (const part of data) {
      for (let start = 0; start < part.byteLength; start += pieceBytes) {
        if (!this.isOpen()) return this.#lost(sentBytes);
        this.sendPiece(part.subarray(start, start + pieceBytes));
      }
    }
    return { sentBytes, canSendMore: this.waitingBytes() < bufferBytes };
  }

  /** Closed, and nobody was told yet: what is on its way then is lost, as on any wire. Thrown, it would end in a timer of yamux, unheard. */
  #lost(sentBytes: number): ReturnType<SendData> {
    queueMicrotask(() => this.over());
    return { sentBytes, canSendMore: false };
  }

  async sendClose(): Promise<void> {
    this.closeChannel();
    this.closeConnection();
  }

  sendReset(): void {
    this.closeConnection();
  }

  /** Streams above have their own windows; there is nothing to hold back here. */
  sendPause(): void {}

  sendResume(): void {}
}
