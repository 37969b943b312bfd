import type { PeerId } from '@peerai/core-protocol';
import type { Libp2pInit } from 'libp2p';
import type { SignalBoard } from './board.ts';
import { createFolderBoard } from './folder-board.ts';
import { fileAddress, type FileDeps, fileTransport } from './transport.ts';
import { createViewBoard } from './view-board.ts';

interface FileLinks {
  readonly transport: NonNullable<Libp2pInit['transports']>[number];
  readonly listen: string;
  /** Where a peer that looks into the same folder can be dialled: there, or nowhere. */
  readonly placesOf: (peer: PeerId) => Promise<readonly string[]>;
}

/** @param place - a folder, or a file that ends in `.json`, which is then the one file of the older form. */
export function createFileLinks(place: string, deps: Omit<FileDeps, 'board'>): FileLinks {
  const board: SignalBoard = place.endsWith('.json')
    ? createViewBoard(place, deps.clock)
    : createFolderBoard(place, deps.clock);
  return {
    transport: fileTransport({ ...deps, board }),
    listen: fileAddress,
    placesOf: async (peer) => ((await board.isHere(peer)) ? [`${fileAddress}/p2p/${peer}`] : []),
  };
}
