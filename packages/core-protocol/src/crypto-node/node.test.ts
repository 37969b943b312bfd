import { cryptoContract } from '../testing/contracts/crypto.ts';
import { nodeCrypto } from './node.ts';

cryptoContract('nodeCrypto', nodeCrypto);
