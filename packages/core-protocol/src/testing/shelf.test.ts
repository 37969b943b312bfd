import { shelfContract } from './contracts/shelf.ts';
import { MemoryShelf } from './shelf.ts';

shelfContract('MemoryShelf', () => ({ shelf: new MemoryShelf() }));
