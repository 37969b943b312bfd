import { fromHex, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Signing } from '../ledger/signing.ts';
import type { Devices } from '../pairing/devices.ts';
import { anyModel, modelTask, modelTaskTypes } from './model-task.ts';
import type { TaskBody, TaskHead } from './task-book.ts';

/** Receipts for what a model of a device does for a task: the giver's side. */
export interface TaskReceipts {
  /** Durable when it resolves: true when the device may make a receipt for this task, and it will be signed. Throws what the store throws. */
  asked(head: TaskHead, body: TaskBody): Promise<boolean>;
  /** A task of this device is over: what is owed is signed now, not at the next look. */
  over(peer: PeerId): void;
}

export function createTaskReceipts({
  devices,
  signing,
}: {
  readonly devices: Devices;
  readonly signing: Pick<Signing, 'asked' | 'keepUp'>;
}): TaskReceipts {
  return {
    async asked(head, body) {
      const device = devices.get(head.peer);
      if (device === undefined || !modelTaskTypes.some((type) => type === head.type)) return false;
      try {
        const { model = '', maxTokens, prompt } = modelTask({ ...body, title: head.title });
        const question = {
          provider: device.peer,
          lease: fromHex(device.lease),
          model: anyModel(model),
          prompt,
          maxTokens,
        };
        await signing.asked(head.id, question);
        return true;
      } catch (error) {
        // Nobody can do it as it stands, so there is nothing to sign for.
        if (PeerAiError.is(error, 'INVALID_FORMAT')) return false;
        throw error;
      }
    },
    over(peer) {
      const device = devices.get(peer);
      if (device !== undefined) signing.keepUp(peer, fromHex(device.lease));
    },
  };
}
