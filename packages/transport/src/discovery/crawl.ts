import { type Clock, type CrawledPeer, openRecord, type CryptoProvider, PeerAiError, type PeerId, type PeerRecord } from '@peerai/core-protocol';
