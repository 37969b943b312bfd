type Bytes = Uint8Array;
export type AeadName = 'aes-256-gcm' | 'chacha20-poly1305';
export interface Aead {
  seal(key: Bytes, nonce: Bytes, plain: Bytes, header: Bytes): Bytes;
  open(key: Bytes, nonce: Bytes, sealed: Bytes, header: Bytes): Bytes;
}
/** Synchronous, no entropy of its own, one validity rule a primitive; noble and node agree on every case. */
export interface CryptoProvider {
  sha256(...parts: readonly Bytes[]): Bytes;
  hkdfSha256(secret: Bytes, salt: Bytes, info: Bytes, length: number): Bytes;
  /** RFC 8032 cofactorless, S < L, small-order keys refused; a private key is its 32-byte seed. */
  readonly ed25519: {
    publicKey(seed: Bytes): Bytes;
    sign(message: Bytes, seed: Bytes): Bytes;
    verify(signature: Bytes, message: Bytes, publicKey: Bytes): boolean;
  };
  /** RFC 7748; throws KEY_REFUSED on an all-zero result. */
  readonly x25519: { publicKey(secret: Bytes): Bytes; shared(secret: Bytes, publicKey: Bytes): Bytes };
  /** FIPS 203; 64-byte key seed, 32-byte encapsulation seed, both from Random. */
  readonly mlKem768: {
    keys(seed: Bytes): { publicKey: Bytes; secretKey: Bytes };
    encapsulate(publicKey: Bytes, seed: Bytes): { ciphertext: Bytes; secret: Bytes };
    decapsulate(ciphertext: Bytes, secretKey: Bytes): Bytes;
  };
  /** 12-byte nonce, 16-byte tag appended; `open` throws DECRYPTION_FAILED and nothing else. */
  readonly aead: Readonly<Record<AeadName, Aead>>;
}
