import { cryptoContract } from '../testing/contracts/crypto.ts';
import { nobleCrypto } from './noble.ts';

cryptoContract('nobleCrypto', nobleCrypto);
