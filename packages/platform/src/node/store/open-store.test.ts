import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeContract } from '@peerai/core-protocol/testing';
import { openStore } from './open-store.ts';

storeContract('the SQLite store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-store-'));
  const path = join(folder, 'peer.db');
  let store = await openStore(path);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openStore(path);
      return store;
    },
    async stop() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
